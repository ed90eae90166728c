// Traces of requests: spans are recorded through a tracer, which app/tracing implements. Where tracing is off the
// tracer is null, and a request that is not sampled has a null trace.
//
// Ids and the meaning of spans are those of W3C Trace Context and of OpenTelemetry.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ordem {

using trace_id = std::array<std::uint8_t, 16>;  // all zero: none
using span_id = std::array<std::uint8_t, 8>;    // all zero: none

// Names a span.
struct span_context {
  ordem::trace_id trace{};
  ordem::span_id span{};
  friend bool operator==(const span_context&, const span_context&) = default;
};

// The span of a client that a request is part of.
struct remote_parent {
  span_context context;
  bool sampled = false;  // the client records its span
};

// The trace of one sampled request: the span of the request itself is the parent of what the engine records. Immutable;
// shared by the session and what the engine makes of its message.
struct request_trace {
  span_context request;
  std::optional<ordem::span_id> parent;  // the client's span, of the same trace
  std::string trace_state;               // tracestate of the client, or empty; at most 512 bytes
};

// Null for a request that is not sampled.
using shared_trace = std::shared_ptr<const request_trace>;

enum class span_kind : std::uint8_t { internal, server, client };

// Attribute names follow OpenTelemetry's semantic conventions; Ordem's own begin with "ordem.".
struct span_attribute {
  std::string_view name;  // text that is never destroyed
  std::variant<std::int64_t, std::string> value;
};

// A span that has ended.
struct span_record {
  using clock = std::chrono::steady_clock;

  span_context context;
  std::optional<span_id> parent;
  std::string trace_state;
  std::string name;
  span_kind kind = span_kind::internal;
  clock::time_point start;
  clock::time_point end;
  bool failed = false;
  std::vector<span_attribute> attributes;
  std::vector<span_context> links;
};

// Why a span was not exported.
enum class span_drop : std::uint8_t { queue_full, export_failed, position_forgotten };
inline constexpr std::size_t span_drops = 3;

// Decides which requests are sampled, and takes finished spans. Thread-safe; no function waits for anything.
class tracer {
 public:
  virtual ~tracer() = default;

  // Returns the trace of a request with that parent, or null if it is not sampled. `trace_state` is used only with a
  // parent.
  virtual shared_trace begin(const std::optional<remote_parent>& parent, std::string_view trace_state) noexcept = 0;
  // Returns an id that is not all zero.
  virtual span_id make_span_id() noexcept = 0;
  virtual trace_id make_trace_id() noexcept = 0;
  // Queues a span for export, or drops and counts it if the queue is full.
  virtual void record(span_record&& what) noexcept = 0;
  // Counts spans that the caller has dropped.
  virtual void count_dropped(span_drop why, std::uint64_t spans) noexcept = 0;
};

// Returns a span of a request's trace, with the request's span as its parent and an id of its own.
inline span_record child_span(tracer& by, const request_trace& of, std::string_view name,
                              span_record::clock::time_point start, span_record::clock::time_point end) {
  span_record made;
  made.context = {of.request.trace, by.make_span_id()};
  made.parent = of.request.span;
  made.trace_state = of.trace_state;
  made.name = name;
  made.start = start;
  made.end = end;
  return made;
}

}  // namespace ordem
