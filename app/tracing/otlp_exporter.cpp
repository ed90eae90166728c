// The module ordem_otlp.so: sends spans by OTLP over HTTP with the library of OpenTelemetry. The only file that
// includes its headers.

#include <opentelemetry/exporters/otlp/otlp_http_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_exporter_options.h>
#include <opentelemetry/sdk/common/global_log_handler.h>
#include <opentelemetry/sdk/instrumentationscope/instrumentation_scope.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/exporter.h>
#include <opentelemetry/sdk/trace/recordable.h>
#include <opentelemetry/trace/span_context.h>
#include <opentelemetry/trace/trace_state.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "app/process/version.hpp"
#include "app/tracing/exporter_module.hpp"

namespace ordem::app {
namespace {

namespace otel = opentelemetry;
namespace sdk = opentelemetry::sdk;
namespace otlp = opentelemetry::exporter::otlp;

// Keeps the last error that the library logs, which is the only place where it says why an export failed. Otherwise the
// library would write to standard error, between the lines of our log.
class error_keeper final : public sdk::common::internal_log::LogHandler {
 public:
  using level = sdk::common::internal_log::LogLevel;

  void Handle(level, const char*, int, const char* message, const sdk::common::AttributeMap&) noexcept override {
    if (message == nullptr) return;
    const std::lock_guard lock(mutex_);
    // The first one of an export names the cause; the next one says that there was one.
    if (!first_.empty()) return;
    first_ = std::string(message).substr(0, text_bytes_max);
    // It may quote what the collector sent.
    std::replace_if(first_.begin(), first_.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  }
  std::string take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(first_, {});
  }

 private:
  static constexpr std::size_t text_bytes_max = 300;
  std::mutex mutex_;
  std::string first_;
};

otel::trace::SpanContext to_otel(const span_context& what, const std::string& trace_state, bool remote) {
  auto state =
      trace_state.empty() ? otel::trace::TraceState::GetDefault() : otel::trace::TraceState::FromHeader(trace_state);
  return {otel::trace::TraceId(what.trace), otel::trace::SpanId(what.span),
          otel::trace::TraceFlags(otel::trace::TraceFlags::kIsSampled), remote, std::move(state)};
}

otel::trace::SpanKind to_otel(span_kind what) noexcept {
  switch (what) {
    case span_kind::internal: return otel::trace::SpanKind::kInternal;
    case span_kind::server: return otel::trace::SpanKind::kServer;
    case span_kind::client: return otel::trace::SpanKind::kClient;
  }
  return otel::trace::SpanKind::kInternal;
}

sdk::resource::Resource resource_of(const span_export_settings& settings) {
  sdk::resource::ResourceAttributes attributes;
  attributes.SetAttribute("service.version", std::string(version_text));
  for (const auto& [key, value] : settings.resource) attributes.SetAttribute(key, value);
  return sdk::resource::Resource::Create(attributes);
}

otlp::OtlpHttpExporterOptions options_of(const span_export_settings& settings) {
  otlp::OtlpHttpExporterOptions options;  // reads the environment itself: what it might have found is set here
  options.url = settings.url;
  options.content_type = otlp::HttpRequestContentType::kBinary;
  options.console_debug = false;
  options.timeout = settings.timeout;
  options.http_headers.clear();
  for (const auto& [name, value] : settings.headers) options.http_headers.emplace(name, value);
  options.ssl_ca_cert_path = settings.ca_file;
  options.ssl_client_cert_path = settings.client_certificate_file;
  options.ssl_client_key_path = settings.client_key_file;
  options.compression = "none";
  options.retry_policy_max_attempts = 0;  // what is dropped is counted; the queue is what waits
  return options;
}

class otlp_exporter {
 public:
  explicit otlp_exporter(const span_export_settings& settings)
      : errors_(new error_keeper),
        resource_(resource_of(settings)),
        scope_(sdk::instrumentationscope::InstrumentationScope::Create("ordem", std::string(version_text))) {
    sdk::common::internal_log::GlobalLogHandler::SetLogHandler(
        otel::nostd::shared_ptr<sdk::common::internal_log::LogHandler>(errors_));
    sdk::common::internal_log::GlobalLogHandler::SetLogLevel(error_keeper::level::Error);
    exporter_ = otlp::OtlpHttpExporterFactory::Create(options_of(settings));
  }

  bool send(const std::vector<finished_span>& spans, std::string& error) {
    std::vector<std::unique_ptr<sdk::trace::Recordable>> batch;
    batch.reserve(spans.size());
    for (const finished_span& each : spans) batch.push_back(to_recordable(each));
    errors_->take();
    // Returns success even if the collector did not take them; only the error that it logs tells.
    const auto sent = exporter_->Export({batch.data(), batch.size()});
    error = errors_->take();
    if (error.empty() && sent != sdk::common::ExportResult::kSuccess) error = "the collector did not take the spans";
    return error.empty();
  }

 private:
  std::unique_ptr<sdk::trace::Recordable> to_recordable(const finished_span& what) const {
    const span_record& span = what.span;
    auto made = exporter_->MakeRecordable();
    made->SetIdentity(to_otel(span.context, span.trace_state, false),
                      span.parent ? otel::trace::SpanId(*span.parent) : otel::trace::SpanId());
    made->SetName(span.name);
    made->SetSpanKind(to_otel(span.kind));
    made->SetResource(resource_);
    made->SetInstrumentationScope(*scope_);
    made->SetStartTime(otel::common::SystemTimestamp(what.start));
    made->SetDuration(std::chrono::duration_cast<std::chrono::nanoseconds>(span.end - span.start));
    made->SetTraceFlags(otel::trace::TraceFlags(otel::trace::TraceFlags::kIsSampled));
    if (span.failed) made->SetStatus(otel::trace::StatusCode::kError, "");
    for (const auto& [name, value] : span.attributes) {
      const otel::nostd::string_view key(name.data(), name.size());
      if (const auto* text = std::get_if<std::string>(&value)) {
        made->SetAttribute(key, otel::nostd::string_view(*text));
      } else {
        made->SetAttribute(key, std::get<std::int64_t>(value));
      }
    }
    for (const span_context& each : span.links) made->AddLink(to_otel(each, {}, false));
    return made;
  }

  error_keeper* const errors_;  // owned by the library, which keeps it until the process ends
  const sdk::resource::Resource resource_;
  const otel::nostd::unique_ptr<sdk::instrumentationscope::InstrumentationScope> scope_;
  std::unique_ptr<sdk::trace::SpanExporter> exporter_;
};

void* open(const span_export_settings& settings, std::string& error) noexcept {
  try {
    return new otlp_exporter(settings);
  } catch (const std::exception& failure) {
    error = failure.what();
    return nullptr;
  }
}

bool send(void* exporter, const std::vector<finished_span>& spans, std::string& error) noexcept {
  try {
    return static_cast<otlp_exporter*>(exporter)->send(spans, error);
  } catch (const std::exception& failure) {
    error = failure.what();
    return false;
  }
}

void close(void* exporter) noexcept {
  delete static_cast<otlp_exporter*>(exporter);
}

}  // namespace
}  // namespace ordem::app

extern "C" __attribute__((visibility("default"))) const ordem::app::exporter_functions* ordem_span_exporter() noexcept {
  using namespace ordem::app;
  static constexpr exporter_functions functions{.version = version_text, .open = open, .send = send, .close = close};
  return &functions;
}
