// What happens to one admitted message, from its decision to its answer, as values. Pure: readable and testable without
// CAF.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "engine/model/time.hpp"
#include "engine/ports/engine_port.hpp"
#include "storage/log/entry.hpp"

namespace ordem::actors {

// A message that its dedupe shard has let through, and who waits for it.
struct task {
  ordem::request_token token;
  std::uint32_t shard = 0;
  ordem::message message;
};

// The receivers of a decision once it is durable: the client, the dedupe shard, the shard of the order.
struct completion {
  ordem::request_token token;
  std::uint32_t shard = 0;
  std::variant<guid, capture_key> subject;
  std::optional<order_id> target;  // absent for a created order: it has no actor yet
  ordem::answer answer;
  shared_capture allocated = nullptr;  // what the answer `allocated` gives away; of every other, null
};

// A decision on its way to the commit writer.
struct decided {
  actors::completion completion;
  std::optional<storage::entry> entry;  // absent if there is nothing to record
};

struct execution {
  actors::decided decided;
  shared_order current;  // the order as decided now, which the next message meets
};

// The log has failed: whether these are on the disk is unknown. Nobody is told that they are; after a restart a repeat
// learns which.
void fail_all(std::vector<completion>& group);

// Changes the answers to allocations whose lease has ended before they became durable: the key may have been allocated
// to other callers since, so that these answer `in_flight`.
void take_back_lapsed(std::vector<completion>& group, const clock_reading& now);

// Decides the task on `current` (null: no such order) and prepares its record, which expires at now + ttl.
execution execute_task(task&& what, shared_order current, order_id fresh_id, timestamp now, milliseconds ttl);

}  // namespace ordem::actors
