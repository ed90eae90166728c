#include "app/tracing/start_tracing.hpp"

#include <algorithm>
#include <utility>

#include "app/tracing/exporter_module.hpp"

namespace ordem::app {

started_tracing start_tracing(const otel_environment& asked, tracer_events events) {
  started_tracing started{nullptr, asked.warnings};
  if (!asked.tracing) return started;
  if (!is_built_with_tracing()) {
    started.warnings.emplace_back("OTEL_EXPORTER_OTLP_ENDPOINT: this program was built without tracing (ORDEM_OTEL)");
    return started;
  }
  auto exporter = load_exporter(asked.tracing->to);
  if (!exporter) {
    started.warnings.push_back("tracing needs opentelemetry-cpp 1.19, which cannot be loaded: " + exporter.error());
    return started;
  }
  started.tracer = std::make_unique<batch_tracer>(asked.tracing->sampler, asked.tracing->queue, std::move(*exporter),
                                                  std::move(events));
  return started;
}

std::string without_secrets(const std::string& url) {
  const auto host = url.find("://") + 3;
  const auto path = std::min(url.find_first_of("/?#", host), url.size());
  const auto at = url.rfind('@', path);
  const auto begin = at != std::string::npos && at >= host ? at + 1 : host;
  return url.substr(0, host) + url.substr(begin, url.find_first_of("?#", begin) - begin);
}

}  // namespace ordem::app
