// The settings of tracing: the standard OTEL_* variables of the environment (OpenTelemetry, "Environment Variable
// Specification" and "OTLP Exporter Configuration"). Pure functions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ordem::app {

struct sampler_settings {
  // Of a request without a parent, or of every request: 0 none, 1 all.
  double ratio = 1;
  // Whether a request with a parent is sampled exactly if its parent is.
  bool follows_parent = true;
};

// Where and how spans are sent: OTLP over HTTP with protobuf.
struct span_export_settings {
  std::string url;                                           // http or https, with the path
  std::vector<std::pair<std::string, std::string>> headers;  // secret: they may hold credentials
  std::string ca_file;
  std::string client_certificate_file;
  std::string client_key_file;
  std::chrono::milliseconds timeout = std::chrono::seconds(10);
  // service.name and others.
  std::vector<std::pair<std::string, std::string>> resource;
};

struct span_queue_settings {
  std::size_t spans_max = 2048;
  std::size_t batch_max = 512;
  // The longest time that a span waits for others.
  std::chrono::milliseconds delay = std::chrono::seconds(5);
};

struct tracing_settings {
  sampler_settings sampler;
  span_export_settings to;
  span_queue_settings queue;
};

struct otel_environment {
  // Absent if tracing is off: no endpoint is named, or OTEL_SDK_DISABLED or OTEL_TRACES_EXPORTER turns it off, or the
  // endpoint cannot be used.
  std::optional<tracing_settings> tracing;
  // A line for each variable whose value cannot be used, without values that may be secret. As the specification asks,
  // a bad value counts as not set; that of an endpoint turns tracing off.
  std::vector<std::string> warnings;
};

// `environment` has elements "NAME=value".
otel_environment read_otel_environment(const std::vector<std::string>& environment);

}  // namespace ordem::app
