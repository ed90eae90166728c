// Starts tracing as the environment asks for it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/settings/otel_environment.hpp"
#include "app/tracing/batch_tracer.hpp"

namespace ordem::app {

struct started_tracing {
  std::unique_ptr<batch_tracer> tracer;  // null if requests are not traced
  std::vector<std::string> warnings;     // what cannot be used, to be logged
};

started_tracing start_tracing(const otel_environment& asked, tracer_events events);

// Returns the URL without what may be secret in it: user, password and query.
std::string without_secrets(const std::string& url);

}  // namespace ordem::app
