// The record of a message. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/model/outcome.hpp"

namespace ordem::storage {

// Appends the record to `out`.
void encode_message(std::string& out, const message_record& what);
// Returns nullopt for bytes that encode_message() can't have written.
std::optional<message_record> decode_message(std::string_view record);

}  // namespace ordem::storage
