// The record of a group of entries, which were appended together. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/log/entry.hpp"

namespace ordem::storage {

struct log_group {
  // The size of all log records before this one, so that the difference of two groups is the size of the log between.
  std::uint64_t bytes_before = 0;
  // Those of messages without orders.
  std::vector<entry> entries;
};

// Appends the record to `out`.
void encode_log_group(std::string& out, std::uint64_t bytes_before, std::span<const entry> entries);
// Returns nullopt for bytes that encode_log_group() can't have written.
std::optional<log_group> decode_log_group(std::string_view record);

}  // namespace ordem::storage
