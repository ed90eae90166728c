// The rules of an order: decide says what a message does to it, apply does it. Pure: no I/O, no clock, no threads.
#pragma once

#include <variant>

#include "engine/model/message.hpp"
#include "engine/model/outcome.hpp"

namespace ordem {

struct order_created {
  order_id id;
  order_content content;
};
struct content_changed {
  order_content content;
};
struct status_changed {
  order_status to;
};

// What happened to an order. The state of an order is the fold of its events by apply.
struct event {
  ordem::version version;  // that the order has after it
  timestamp at;
  std::variant<order_created, content_changed, status_changed> change;
};

// Accepted: an event. Rejected: the outcome to record. Refused: nothing to record.
using decision = std::variant<event, outcome, refusal>;

// current: the order as decided so far, or null if there is none. fresh_id: the id that a created order gets.
// The checks come in this order: the order exists, its version, its status, the resulting content.
decision decide(const order* current, const message& asked, order_id fresh_id, timestamp now);

// The order after the event. current is null for order_created and only for it; the event's version must be the next
// one.
order apply(const order* current, event what);

// The event that a recorded, accepted outcome stands for, told from the order as it was after it: how the log is folded
// again.
event event_of(verdict accepted, const order& after);

// Whether a command must be kept beside its outcome: merge patches and whatever was rejected can't be told from the
// order's versions.
bool must_be_kept(const outcome& decided, const command& what) noexcept;

// The outcome of an accepted message: what its event made of the order.
outcome accepted_outcome(const message& asked, const order& after);

}  // namespace ordem
