// The lifetime of a message or a capture, read from the beginning of its record. Pure functions, any thread.
#pragma once

#include <optional>
#include <string_view>

#include "engine/model/time.hpp"

namespace ordem::storage {

struct lifetime {
  timestamp made_at;     // for a capture, when it was allocated
  timestamp expires_at;  // timestamp::max(): never
};

// Returns nullopt if the record can't be decoded. Both records begin with | format 1 | expires ms v | created or
// allocated ms v |.
std::optional<lifetime> decode_lifetime(std::string_view record);

}  // namespace ordem::storage
