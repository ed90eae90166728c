// How the edge finds out who sent a request. Implemented in auth/, called by http-edge/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

#include "auth/identity.hpp"
#include "engine/model/time.hpp"

namespace ordem::auth {

// What a request carries. The texts need to live only during the call.
struct credentials {
  // The value of the header Authorization; empty if there is none.
  std::string_view authorization;
  // The subject (RFC 4514) of the client certificate that TLS has verified; empty if there is none. Counts only for a
  // request without Authorization.
  std::string_view certificate_subject;
};

// Why credentials are refused. The client learns no more than 401 and whether it has sent any; the reason is for logs
// and metrics.
enum class denial : std::uint8_t {
  missing,            // no credentials
  malformed,          // not Bearer, or not of a form that any key or token has
  unknown_key,        // no such API key, or it was revoked
  unknown_subject,    // no line of the keys file names the certificate's subject
  expired,            // a key or a token after its time, or a token before it
  unknown_token_key,  // the token's key id is not in the key set, or does not fit its algorithm
  bad_signature,
  wrong_algorithm,  // not RS256, ES256 or EdDSA
  wrong_issuer,
  wrong_audience,
  bad_claims,  // the claims do not name an identity
};
inline constexpr std::size_t denials = 11;

class authenticator {
 public:
  virtual ~authenticator() = default;
  // Returns the identity, or why there is none. Never blocks. One thread at a time; each I/O thread has its own.
  virtual tl::expected<shared_identity, denial> authenticate(const credentials& sent, timestamp now) = 0;
};

}  // namespace ordem::auth
