// Expiry as a condition in SQL, for what reads and cleans the tables of messages and captures.
#pragma once

#include <string>
#include <string_view>

#include "engine/model/time.hpp"

namespace ordem::storage {

// True of a row whose `expires_at` has come by this reading of the clock, if the row was made at the time in
// `made_column`. An index on expires_at serves it.
std::string has_expired(const clock_reading& now, std::string_view made_column);

}  // namespace ordem::storage
