// Lines of the Prometheus text format, for metrics of few values. Pure functions; thread-safe.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace ordem::app {

// Returns the lines that come before the values of a metric. `type`: counter or gauge.
inline std::string metric_head(std::string_view name, std::string_view type, std::string_view help) {
  return fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

// Returns `name="value"`, escaped.
inline std::string metric_label(std::string_view name, std::string_view value) {
  std::string text(name);
  text += "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text += '"';
}

// Returns a line with a value. `labels`: those of metric_label(), with commas between them.
template <class Value>
std::string metric_value(std::string_view name, std::string_view labels, Value value) {
  return labels.empty() ? fmt::format("{} {}\n", name, value) : fmt::format("{}{{{}}} {}\n", name, labels, value);
}

// A metric with one value.
template <class Value>
std::string gauge_text(std::string_view name, std::string_view help, Value value) {
  return metric_head(name, "gauge", help) + metric_value(name, "", value);
}
template <class Value>
std::string counter_text(std::string_view name, std::string_view help, Value value) {
  return metric_head(name, "counter", help) + metric_value(name, "", value);
}

}  // namespace ordem::app
