// HMAC-SHA-256 (RFC 2104, FIPS 198-1) by OpenSSL. Thread-safe.
#pragma once

#include <string_view>

#include "auth/encoding/sha256.hpp"

namespace ordem::auth {

sha256_hash hmac_sha256(std::string_view key, std::string_view text);

}  // namespace ordem::auth
