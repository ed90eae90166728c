// What tokens must say, and which of their claims name the identity.
#pragma once

#include <chrono>
#include <string>

namespace ordem::auth {

struct token_rules {
  std::string issuer;    // must equal `iss`
  std::string audience;  // must equal `aud`, or be in it
  // By how much the clock of the issuer may differ from ours: a token counts so much longer, and so much earlier.
  std::chrono::milliseconds leeway = std::chrono::seconds(60);
  // Names of members of the claims.
  std::string name_claim = "sub";       // the identity's name, a string: see is_name()
  std::string tenant_claim = "tenant";  // a string: see is_tenant(); without it the empty tenant
  std::string scope_claim = "scope";    // a string of scopes separated by spaces (RFC 8693), or an array of strings
};

}  // namespace ordem::auth
