// The server span of a sampled request, with the attributes of OpenTelemetry's semantic conventions for HTTP. Owned by
// a session, used by its I/O thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "engine/ports/engine_port.hpp"
#include "engine/ports/tracing.hpp"
#include "http-edge/protocol/request_header.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

struct traced_response {
  const request_header& header;
  resource to;
  bool by_tls = false;
  std::string_view request_id = {};
  unsigned status = 0;
};

class request_span {
 public:
  using clock = span_record::clock;

  request_span(shared_trace trace, clock::time_point start) noexcept : trace_(std::move(trace)), start_(start) {}

  const shared_trace& trace() const noexcept { return trace_; }

  // Keeps the hash of the GUID, or of the key of a capture: the first 16 hex digits of its SHA-256. It finds a known
  // key among spans, and is no secret: who guesses a key can compute it.
  void note_key(const engine_request& submitted);

  // Returns the span of the request, which ends now. Called once.
  span_record end(const traced_response& what);

 private:
  shared_trace trace_;
  clock::time_point start_;
  std::string key_hash_;
};

}  // namespace ordem::http_edge
