// One decided message on its way into the log, and what the log keeps of it.
#pragma once

#include <cstddef>

#include "engine/ids.hpp"
#include "engine/order.hpp"
#include "engine/outcome.hpp"

namespace ordem::storage {

// A group of entries is one write, and one record of the log.
inline constexpr std::size_t group_entries_max = 4096;

struct entry {
  ordem::guid guid;
  message_record record;
  shared_order before;  // the version that `after` supersedes; null for a created order or a rejection
  shared_order after;   // null for a rejection
};

// What the log itself holds of an entry; the order stands in the records of orders. The message stands here in full,
// although it has a record of its own: that one goes when it expires, or when its GUID is used anew.
struct logged_message {
  ordem::guid guid;
  message_record record;
  friend bool operator==(const logged_message&, const logged_message&) = default;
};

}  // namespace ordem::storage
