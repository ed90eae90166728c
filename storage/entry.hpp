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

// What the log itself holds of an entry; the rest stands under these names in the records of orders and messages.
struct log_reference {
  ordem::guid guid;
  ordem::verdict verdict = verdict::order_created;
  order_id order;
  ordem::version version;
  friend bool operator==(const log_reference&, const log_reference&) = default;
};

}  // namespace ordem::storage
