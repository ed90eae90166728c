// One entry of the log: a decided message, or a change of a capture. Values: any thread.
#pragma once

#include <cstddef>
#include <string>
#include <variant>

#include "engine/model/capture.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/order.hpp"
#include "engine/model/outcome.hpp"

namespace ordem::storage {

// The most entries of a group, which is one write and one record of the log.
inline constexpr std::size_t group_entries_max = 4096;
// A group that has so many bytes to write takes no more entries. A single entry may be larger.
inline constexpr std::size_t group_bytes_max = std::size_t{16} << 20;

// The log keeps the message in full, although it has a record of its own: that record is deleted when it expires, or
// replaced when its GUID is used again. It keeps the order after the message as well, so that it says everything.
struct message_entry {
  ordem::guid guid;
  message_record record;
  // The version that `after` supersedes. Null for a created order and a rejection, and in an entry read from the log,
  // which has it as the `after` of an earlier entry.
  shared_order before;
  shared_order after;  // null for a rejection

  const std::string& tenant() const noexcept { return record.origin.tenant; }
};

struct capture_entry {
  capture_key key;
  timestamp at;
  shared_capture after;                 // null: the allocation was given up
  std::string tenant_of_given_up = {};  // empty if there is `after`, which has the tenant

  const std::string& tenant() const noexcept { return after != nullptr ? after->origin.tenant : tenant_of_given_up; }
};

using entry = std::variant<message_entry, capture_entry>;

// Returns when the entry was decided.
inline timestamp decided_at(const entry& what) noexcept {
  const auto* changed = std::get_if<capture_entry>(&what);
  return changed != nullptr ? changed->at : std::get<message_entry>(what).record.created_at;
}

// An entry at its position, as the log returns it.
struct logged_entry {
  ordem::position position;
  entry what;

  const message_entry* message() const noexcept { return std::get_if<message_entry>(&what); }
  const capture_entry* capture() const noexcept { return std::get_if<capture_entry>(&what); }
  timestamp at() const noexcept { return decided_at(what); }
};

// Returns about how many bytes the entry takes in the log, at most: what its parts may take that are long to measure.
std::size_t logged_bytes_max(const entry& what) noexcept;

// Returns the size of the captured response in the entry, which makes some entries large.
inline std::size_t captured_bytes_of(const entry& what) noexcept {
  const auto* changed = std::get_if<capture_entry>(&what);
  return changed != nullptr && changed->after && changed->after->response ? bytes_of(*changed->after->response) : 0;
}

}  // namespace ordem::storage
