// One record of the log: the entries that were written together. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/log/entry.hpp"

namespace ordem::storage {

// `bytes_before`: the size of all log records before it, so that the difference of two is the size of what stands
// between them.
struct log_group {
  std::uint64_t bytes_before = 0;
  std::vector<std::variant<logged_message, capture_entry>> entries;
};

// Appends the record to `out`.
void encode_log_group(std::string& out, std::uint64_t bytes_before, std::span<const entry> entries);
// Returns nullopt for bytes that encode_log_group() can't have written.
std::optional<log_group> decode_log_group(std::string_view record);

}  // namespace ordem::storage
