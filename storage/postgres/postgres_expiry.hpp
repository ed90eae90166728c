// Expiry as an SQL condition, for reading and cleaning the tables of messages and captures. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

#include "engine/model/time.hpp"

namespace ordem::storage {

// Returns a condition that is true for rows that have expired by this reading of the clock, where `made_column` holds
// the time at which a row was made. The condition can use an index on expires_at.
std::string has_expired(const clock_reading& now, std::string_view made_column);

}  // namespace ordem::storage
