// Sends finished spans to a collector. Implemented by the module of OpenTelemetry (exporter_module.hpp), and by tests.
#pragma once

#include <chrono>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "engine/ports/tracing.hpp"

namespace ordem::app {

struct finished_span {
  span_record span;
  std::chrono::system_clock::time_point start;  // the wall-clock time of span.start
};

// Called by one thread at a time.
class span_exporter {
 public:
  virtual ~span_exporter() = default;
  // Sends the spans in one request, and waits for the response up to the exporter's time limit. Returns why the
  // collector does not have them.
  virtual tl::expected<void, std::string> send(const std::vector<finished_span>& spans) noexcept = 0;
};

}  // namespace ordem::app
