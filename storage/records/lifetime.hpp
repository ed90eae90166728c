// How long a message or a capture is kept, read from its record alone. Pure functions, any thread.
#pragma once

#include <optional>
#include <string_view>

#include "engine/model/time.hpp"

namespace ordem::storage {

struct lifetime {
  timestamp made_at;     // or allocated
  timestamp expires_at;  // timestamp::max(): never
};

// Both records begin with | 1 | expires ms v | created or allocated ms v |.
std::optional<lifetime> decode_lifetime(std::string_view record);

}  // namespace ordem::storage
