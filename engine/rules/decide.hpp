// The rules of an order: decide() determines what a message does to it, apply() does it. Pure functions: no I/O, no
// clock, no threads.
#pragma once

#include <optional>
#include <variant>

#include "engine/model/message.hpp"
#include "engine/model/origin.hpp"
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

// A change of an order. The state of an order is the fold of its events by apply().
struct event {
  ordem::version version;  // of the order after the event
  timestamp at;
  std::variant<order_created, content_changed, status_changed> change;
  ordem::origin origin = {};  // of the message
  // Of a content_changed that merges an update into a newer version: the version that the client had.
  std::optional<ordem::version> merged_from = {};
};

// An event if accepted, an outcome to record if rejected, a refusal if there is nothing to record.
using decision = std::variant<event, outcome, refusal>;

// `current`: the order after all decisions so far, or null if there is none. `fresh_id`: the id for a created order.
// Checks in this order: the order exists and is of the message's tenant, its version, its status, the resulting
// content. `base`: the version that merge_base() names, or null if the order has none; then the update is not merged.
decision decide(const order* current, const message& asked, order_id fresh_id, timestamp now,
                const order* base = nullptr);

// Returns the version of the order that decide() needs to merge the update, or nullopt if there is nothing to merge.
std::optional<version> merge_base(const order* current, const message& asked);

// Returns the order after the event, which keeps its tenant. REQUIRES: `current` is null if and only if the event is
// order_created; the version of the event is the next one.
order apply(const order* current, event what);

// Returns the event of an accepted outcome, derived from the order after it. Recovery folds the log with it.
event event_of(verdict accepted, const order& after);

// Returns whether the command must be stored with its outcome: merge patches, updates that may be merged and rejected
// commands can't be derived from the versions of the order.
bool must_be_kept(const outcome& decided, const command& what) noexcept;

// Returns the outcome of an accepted message. `after`: the order that its event produced.
outcome accepted_outcome(const message& asked, const order& after);

}  // namespace ordem
