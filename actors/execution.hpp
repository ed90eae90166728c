// The life of an admitted message as values: task, decision, completion. Pure functions, without CAF.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "engine/model/tenant_key.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/engine_port.hpp"
#include "engine/ports/tracing.hpp"
#include "storage/log/entry.hpp"

namespace ordem::actors {

// A message that its dedupe shard has admitted.
struct task {
  ordem::request_token token;
  std::uint32_t shard = 0;  // the dedupe shard
  ordem::message message;
  shared_trace trace = nullptr;  // null if the request is not sampled
};

// What is left to do for a decision once it is durable or has failed: send the reply, tell the dedupe shard that the
// GUID or key is no longer in flight, unpin the order.
struct completion {
  ordem::request_token token;
  std::uint32_t shard = 0;  // the dedupe shard
  std::variant<message_key, tenant_capture_key> subject;
  std::optional<order_id> target;  // the order to unpin; absent for a created order, which has no actor yet
  ordem::answer answer;
  shared_capture allocated = nullptr;  // the allocation, if the answer is `allocated`
};

// The trace of a decision that waits to be durable.
struct decision_trace {
  shared_trace trace;  // null if the request is not sampled
  span_record::clock::time_point decided_at;
};

// A decision on its way to the commit writer.
struct decided {
  actors::completion completion;
  std::optional<storage::entry> entry;  // absent if there is nothing to record
  decision_trace trace = {};
};

struct execution {
  actors::decided decided;
  shared_order current;  // the order after this decision, on which the next message is decided
};

// Replaces the answers of a group whose entries may or may not be on disk by `read_only`. After a restart, a repeat
// gets the recorded outcome if there is one. Refusals stay as they are.
void fail_all(std::vector<completion>& group);

// Changes the answers to allocations whose lease ended before they became durable to `in_flight`: the key may have been
// allocated to another caller since.
void retract_lapsed(std::vector<completion>& group, const clock_reading& now);

// Decides the task on `current` (null: no such order) and makes its record, which expires at now + ttl. A created order
// gets `fresh_id`. `base` as for decide().
execution execute_task(task&& work, shared_order current, order_id fresh_id, timestamp now, milliseconds ttl,
                       const shared_order& base = nullptr);

}  // namespace ordem::actors
