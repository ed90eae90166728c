// What the two JSON objects of a token say. Pure functions; a parser belongs to one thread.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "auth/authenticator.hpp"
#include "auth/tokens/public_key.hpp"
#include "auth/tokens/token_rules.hpp"
#include "auth/tokens/verified_token.hpp"

namespace ordem::auth {

// Of the header of a signature (RFC 7515, section 4.1). Lives until the parser is used again.
struct token_header {
  signature_algorithm algorithm;
  std::optional<std::string_view> key_id;
};

// Returns what is used of the header, or why the token is refused: `wrong_algorithm` for any `alg` but the three;
// `malformed` for `crit`, since none of the extensions that it could name is known here, for a `kid` that is not a
// string, and for a `typ` other than JWT and at+jwt (RFC 9068), so that a signed object for another purpose is no
// token. Keys in the header and links to them (jwk, jku, x5c, x5u) are not read.
tl::expected<token_header, denial> read_header(simdjson::dom::parser& parser, std::string_view json);

// Returns the identity that the claims (RFC 7519, section 4.1) name at this time, or why the token is refused. `exp` is
// required; `nbf` and `iat` must not be in the future; `iss` must be the issuer, `aud` must be or have the audience.
tl::expected<verified_token, denial> read_claims(simdjson::dom::parser& parser, std::string_view json,
                                                 const token_rules& rules, timestamp now);

}  // namespace ordem::auth
