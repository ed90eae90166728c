// Base64 with padding (RFC 4648, section 4). Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ordem::auth {

std::string encode_base64(std::string_view bytes);
// Returns nullopt for anything that no encode_base64() returns, but padding may be missing.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace ordem::auth
