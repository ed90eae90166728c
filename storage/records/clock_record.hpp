// The record in which the store keeps the state of the engine's clock. Pure functions, any thread.
//
//   clock | 1 | time ms v | boot s | offset ms 8 | lead ms v | lead at ms v
//         | steps v, each: before ms v, unconfirmed ms v |
//         ("v" and "s" as in storage/records/fields.cpp; the offset is big-endian, in two's complement)
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/model/time.hpp"

namespace ordem::storage {

// Appends the record to `out`.
void encode_clock_state(std::string& out, const clock_state& what);
// Returns nullopt for bytes that encode_clock_state() can't have written.
std::optional<clock_state> decode_clock_state(std::string_view record);

}  // namespace ordem::storage
