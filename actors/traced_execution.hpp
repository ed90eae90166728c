// The spans of a sampled request in the shards and order actors. Thread-safe.
#pragma once

#include "actors/execution.hpp"
#include "actors/orders/dedupe_table.hpp"
#include "engine/ports/tracing.hpp"

namespace ordem::actors {

// Measures a span if the request is sampled, and does not read the clock otherwise.
class span_timer {
 public:
  using clock = span_record::clock;

  explicit span_timer(bool sampled) noexcept : start_(sampled ? clock::now() : clock::time_point()) {}
  clock::time_point start() const noexcept { return start_; }

 private:
  const clock::time_point start_;
};

// Records the look-up of a GUID: "dedupe", with what was found as the attribute ordem.dedupe.
void trace_dedupe(tracer& to, const request_trace& of, const span_timer& timer, const dedupe_table::admission& found);

// Records a decision: "decide", with its verdict as the attribute ordem.verdict. Returns the end of the span.
span_timer::clock::time_point trace_decision(tracer& to, const request_trace& of, const span_timer& timer,
                                             const answer& decision);

// As execute_task(), and records the decision if the request is sampled. `to` may be null if it is not.
execution execute_traced(tracer* to, task&& work, shared_order current, order_id fresh_id, timestamp now,
                         milliseconds ttl, const shared_order& base = nullptr);

}  // namespace ordem::actors
