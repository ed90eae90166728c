#include "actors/traced_execution.hpp"

#include <string>
#include <utility>

#include "engine/model/outcome.hpp"

namespace ordem::actors {
namespace {

std::string verdict_of(const answer& what) {
  if (const auto* recorded = std::get_if<executed>(&what)) return std::string(to_string(recorded->outcome.verdict));
  if (const auto* captured = std::get_if<capture_answer>(&what)) return std::string(to_string(captured->verdict));
  return "refused";
}

std::string_view name_of(const dedupe_table::admission& found) {
  if (std::holds_alternative<dedupe_table::proceed>(found)) return "miss";
  if (std::holds_alternative<dedupe_table::joined>(found)) return "join";
  return std::holds_alternative<executed>(std::get<answer>(found)) ? "hit" : "refused";
}

span_timer::clock::time_point record(tracer& to, const request_trace& of, std::string_view name,
                                     const span_timer& timer, span_attribute&& attribute) {
  auto span = child_span(to, of, name, timer.start(), span_timer::clock::now());
  span.attributes.push_back(std::move(attribute));
  const auto end = span.end;
  to.record(std::move(span));
  return end;
}

}  // namespace

void trace_dedupe(tracer& to, const request_trace& of, const span_timer& timer, const dedupe_table::admission& found) {
  record(to, of, "dedupe", timer, {"ordem.dedupe", std::string(name_of(found))});
}

span_timer::clock::time_point trace_decision(tracer& to, const request_trace& of, const span_timer& timer,
                                             const answer& decision) {
  return record(to, of, "decide", timer, {"ordem.verdict", verdict_of(decision)});
}

execution execute_traced(tracer* to, task&& work, shared_order current, order_id fresh_id, timestamp now,
                         milliseconds ttl, const shared_order& base) {
  if (!work.trace) return execute_task(std::move(work), std::move(current), fresh_id, now, ttl, base);
  auto trace = std::move(work.trace);
  const span_timer timer(true);
  auto executed = execute_task(std::move(work), std::move(current), fresh_id, now, ttl, base);
  const auto decided_at = trace_decision(*to, *trace, timer, executed.decided.completion.answer);
  executed.decided.trace = {std::move(trace), decided_at};
  return executed;
}

}  // namespace ordem::actors
