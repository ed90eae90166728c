// One decided message, or one change of a capture, on its way into the log, and what the log keeps of it.
#pragma once

#include <cstddef>
#include <variant>

#include "engine/model/capture.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/order.hpp"
#include "engine/model/outcome.hpp"

namespace ordem::storage {

// A group of entries is one write, and one record of the log.
inline constexpr std::size_t group_entries_max = 4096;
// A group that has so much to write takes no more entries; one entry alone may be larger.
inline constexpr std::size_t group_bytes_max = std::size_t{16} << 20;

struct message_entry {
  ordem::guid guid;
  message_record record;
  shared_order before;  // the version that `after` supersedes; null for a created order or a rejection
  shared_order after;   // null for a rejection
};

struct capture_entry {
  capture_key key;
  timestamp at;
  shared_capture after;  // null: given up
};

using entry = std::variant<message_entry, capture_entry>;

// What the log itself holds of a message; the order stands in the records of orders. The message stands here in full,
// although it has a record of its own: that one goes when it expires, or when its GUID is used anew.
struct logged_message {
  ordem::guid guid;
  message_record record;
  friend bool operator==(const logged_message&, const logged_message&) = default;
};

// The bytes of captured responses in it: what makes some entries large.
inline std::size_t captured_bytes_of(const entry& what) noexcept {
  const auto* changed = std::get_if<capture_entry>(&what);
  return changed != nullptr && changed->after && changed->after->response ? bytes_of(*changed->after->response) : 0;
}

}  // namespace ordem::storage
