// The exporter of OpenTelemetry, in a module of its own that is loaded when tracing is on: the program neither needs
// its libraries to start nor pays for them where tracing is off.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "app/settings/otel_environment.hpp"
#include "app/tracing/span_exporter.hpp"

namespace ordem::app {

// What the module gives the program. Functions instead of a class, as the two share no type information.
struct exporter_functions {
  std::string_view version;  // of the program that it was built with
  // Returns the state of an exporter. Null if it cannot be made, for the reason in `error`.
  void* (*open)(const span_export_settings& settings, std::string& error) noexcept;
  // As those of span_exporter. Returns whether the spans were sent, or sets `error`.
  bool (*send)(void* exporter, const std::vector<finished_span>& spans, std::string& error) noexcept;
  void (*close)(void* exporter) noexcept;
};

// The name of the module's only function, which returns its exporter_functions.
inline constexpr const char* exporter_symbol = "ordem_span_exporter";
using exporter_entry = const exporter_functions* (*)() noexcept;

// Returns whether the program was built with tracing (ORDEM_OTEL).
bool is_built_with_tracing() noexcept;

// Loads the module, which stays loaded, and makes an exporter: the file ordem_otlp.so beside the program, or in
// ../lib/ordem. Returns why that fails. REQUIRES: is_built_with_tracing().
tl::expected<std::unique_ptr<span_exporter>, std::string> load_exporter(const span_export_settings& settings);

}  // namespace ordem::app
