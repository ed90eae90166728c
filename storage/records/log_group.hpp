// The content of a record of the log: a group of entries, which were appended together. It says everything that the
// entries changed. Pure functions, any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/time.hpp"
#include "storage/log/entry.hpp"

namespace ordem::storage {

struct log_group {
  // The state of the engine's clock, if it has changed since the group before.
  std::optional<clock_state> clock;
  // Those of messages without the version before.
  std::vector<entry> entries;
};

// Appends the group to `out`.
void encode_log_group(std::string& out, const std::optional<clock_state>& clock, std::span<const entry> entries);
// Returns nullopt for bytes that encode_log_group() can't have written.
std::optional<log_group> decode_log_group(std::string_view bytes);
// Returns the entries of a group of data format 4, which did not hold the orders.
std::optional<std::vector<entry>> decode_old_log_group(std::string_view bytes);
// Returns the clock of a group, or nullopt if it has none, without reading the entries.
std::optional<clock_state> decode_log_group_clock(std::string_view bytes);

}  // namespace ordem::storage
