// The record of a capture. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/model/capture.hpp"

namespace ordem::storage {

// Appends the record to `out`.
void encode_capture(std::string& out, const capture& what);
// Returns nullopt for bytes that encode_capture() can't have written.
std::optional<capture> decode_capture(std::string_view record);

}  // namespace ordem::storage
