// Base64url without padding (RFC 4648, section 5; RFC 7515, section 2). Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ordem::auth {

// Returns the bytes, or nullopt if the text has another character (padding and white space too), has an impossible
// length, or is not the one text that encodes its bytes: bits that no byte takes must be 0.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace ordem::auth
