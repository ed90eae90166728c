#include "app/settings/otel_environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

namespace ordem::app {
namespace {

constexpr std::size_t queue_spans_max = 1'000'000;
constexpr std::int64_t export_time_ms_max = 60'000;
constexpr std::int64_t delay_ms_max = 600'000;

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_same_word(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// Returns nullopt if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned char byte = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc() || digits.size() != 2 || end != digits.data() + digits.size()) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

// A list "key=value,key=value" in the form of W3C Baggage. Returns nullopt if an element is malformed.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_list(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> found;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto element = trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (element.empty()) continue;
    const auto equals = element.find('=');
    const auto key = trimmed(element.substr(0, equals));
    if (equals == element.npos || key.empty()) return std::nullopt;
    auto value = percent_decoded(trimmed(element.substr(equals + 1)));
    if (!value) return std::nullopt;
    found.emplace_back(key, std::move(*value));
  }
  return found;
}

bool is_header_name(std::string_view name) noexcept {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view value) noexcept {
  return std::all_of(value.begin(), value.end(), [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
}

// Returns why it is not the URL of a collector, or an empty text. Never quotes it: it may hold a password.
std::string_view url_error(std::string_view url) noexcept {
  const std::string_view scheme = url.starts_with("https://") ? "https://" : "http://";
  if (!url.starts_with(scheme)) return "it begins with neither http:// nor https://";
  if (std::any_of(url.begin(), url.end(), [](char c) { return c <= ' ' || c > '~'; }))
    return "it has a character that URLs don't have";
  const auto authority = url.substr(scheme.size(), url.find_first_of("/?#", scheme.size()) - scheme.size());
  const auto host_and_port = authority.substr(authority.find('@') == authority.npos ? 0 : authority.find('@') + 1);
  if (host_and_port.empty() || host_and_port.front() == ':') return "it names no host";
  const auto colon =
      host_and_port.find(':', host_and_port.find(']') == host_and_port.npos ? 0 : host_and_port.find(']'));
  if (colon == host_and_port.npos) return {};
  std::uint16_t port = 0;
  const auto text = host_and_port.substr(colon + 1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error != std::errc() || end != text.data() + text.size() || port == 0 ? "its port is not one" : "";
}

class reader {
 public:
  explicit reader(const std::vector<std::string>& environment) : environment_(environment) {}

  otel_environment read();

 private:
  using name = std::string_view;

  // Returns the value, trimmed, or an empty text. An empty variable counts as not set.
  std::string_view value_of(name variable) const;
  // Returns the first of the two variables that is set, or the second.
  name first_set(name specific, name general) const { return value_of(specific).empty() ? general : specific; }
  void warn(name variable, std::string_view why) { read_.warnings.push_back(fmt::format("{}: {}", variable, why)); }
  // Returns the number, or `otherwise` if the variable is not set or holds none within the bounds.
  std::int64_t number(name variable, std::int64_t least, std::int64_t most, std::int64_t otherwise);
  bool is_on();
  bool read_endpoint(span_export_settings& to);
  void read_export(span_export_settings& to);
  void read_resource(span_export_settings& to);
  void read_sampler(sampler_settings& to);
  void read_queue(span_queue_settings& to);

  const std::vector<std::string>& environment_;
  otel_environment read_;
};

std::string_view reader::value_of(name variable) const {
  std::string_view found;
  for (const std::string& each : environment_) {
    if (each.size() > variable.size() && each.starts_with(variable) && each[variable.size()] == '=')
      found = trimmed(std::string_view(each).substr(variable.size() + 1));
  }
  return found;
}

std::int64_t reader::number(name variable, std::int64_t least, std::int64_t most, std::int64_t otherwise) {
  const auto text = value_of(variable);
  if (text.empty()) return otherwise;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= least && value <= most) return value;
  warn(variable, fmt::format("it is not a number from {} to {}; {} is used", least, most, otherwise));
  return otherwise;
}

// As the specification says, only the word "true" turns tracing off; another value than it or "false" is worth a
// warning.
bool reader::is_on() {
  const auto disabled = value_of("OTEL_SDK_DISABLED");
  if (is_same_word(disabled, "true")) return false;
  if (!disabled.empty() && !is_same_word(disabled, "false"))
    warn("OTEL_SDK_DISABLED", "it is neither true nor false; false is used");
  const auto exporter = value_of("OTEL_TRACES_EXPORTER");
  if (exporter == "none") return false;
  if (!exporter.empty() && exporter != "otlp") {
    warn("OTEL_TRACES_EXPORTER", "it is neither otlp nor none, the only ones that there are; no spans are exported");
    return false;
  }
  return true;
}

// Returns false if there is no endpoint, or none that can be used.
bool reader::read_endpoint(span_export_settings& to) {
  const name variable = first_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT");
  const auto url = value_of(variable);
  if (url.empty()) return false;
  if (const auto why = url_error(url); !why.empty()) {
    warn(variable, fmt::format("{}; no spans are exported", why));
    return false;
  }
  to.url = url;
  if (variable == "OTEL_EXPORTER_OTLP_ENDPOINT") to.url += url.ends_with('/') ? "v1/traces" : "/v1/traces";
  return true;
}

void reader::read_export(span_export_settings& to) {
  const name protocol = first_set("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL");
  if (!value_of(protocol).empty() && value_of(protocol) != "http/protobuf")
    warn(protocol, "only http/protobuf is supported, and used");
  const name compression = first_set("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION");
  if (!value_of(compression).empty() && value_of(compression) != "none")
    warn(compression, "compression is not supported; spans are sent without");
  const name headers = first_set("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS");
  auto parsed = parse_list(value_of(headers));
  const bool is_good = parsed && std::all_of(parsed->begin(), parsed->end(), [](const auto& each) {
                         return is_header_name(each.first) && is_header_value(each.second);
                       });
  if (is_good) {
    to.headers = std::move(*parsed);
  } else {
    warn(headers, "it is not a list of headers name=value,...; none of them is sent");
  }
  to.timeout =
      std::chrono::milliseconds(number(first_set("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"), 1,
                                       export_time_ms_max, to.timeout.count()));
  to.timeout =
      std::min(to.timeout,
               std::chrono::milliseconds(number("OTEL_BSP_EXPORT_TIMEOUT", 1, export_time_ms_max, to.timeout.count())));
  to.ca_file = value_of(first_set("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"));
  to.client_certificate_file =
      value_of(first_set("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"));
  to.client_key_file = value_of(first_set("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY"));
}

void reader::read_resource(span_export_settings& to) {
  constexpr name variable = "OTEL_RESOURCE_ATTRIBUTES";
  if (auto parsed = parse_list(value_of(variable))) {
    to.resource = std::move(*parsed);
  } else {
    warn(variable, "it is not a list of attributes key=value,...; none of them is used");
  }
  const auto is_name = [](const auto& each) { return each.first == "service.name"; };
  if (const auto given = value_of("OTEL_SERVICE_NAME"); !given.empty()) {
    std::erase_if(to.resource, is_name);
    to.resource.emplace_back("service.name", given);
  }
  if (std::none_of(to.resource.begin(), to.resource.end(), is_name)) to.resource.emplace_back("service.name", "ordem");
}

void reader::read_sampler(sampler_settings& to) {
  constexpr name variable = "OTEL_TRACES_SAMPLER";
  constexpr name argument = "OTEL_TRACES_SAMPLER_ARG";
  constexpr std::string_view parent_based = "parentbased_";
  auto kind = value_of(variable);
  if (kind.empty()) kind = "parentbased_always_on";
  to.follows_parent = kind.starts_with(parent_based);
  const auto root = to.follows_parent ? kind.substr(parent_based.size()) : kind;
  if (root == "always_off") {
    to.ratio = 0;
  } else if (root == "traceidratio") {
    const auto text = value_of(argument);
    double ratio = 1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ratio);
    const bool is_ratio = error == std::errc() && end == text.data() + text.size() && ratio >= 0 && ratio <= 1;
    if (is_ratio) {
      to.ratio = ratio;
    } else if (!text.empty()) {
      warn(argument, "it is not a number from 0 to 1; 1 is used, so that every request is sampled");
    }
  } else if (root != "always_on") {
    to = {};
    warn(variable,
         "it is not one of always_on, always_off, traceidratio, and the same with parentbased_ before it; "
         "parentbased_always_on is used");
  }
}

void reader::read_queue(span_queue_settings& to) {
  to.spans_max = static_cast<std::size_t>(
      number("OTEL_BSP_MAX_QUEUE_SIZE", 1, queue_spans_max, static_cast<std::int64_t>(to.spans_max)));
  const auto batch_otherwise = static_cast<std::int64_t>(std::min(to.batch_max, to.spans_max));
  to.batch_max = static_cast<std::size_t>(
      number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, static_cast<std::int64_t>(to.spans_max), batch_otherwise));
  to.delay = std::chrono::milliseconds(number("OTEL_BSP_SCHEDULE_DELAY", 0, delay_ms_max, to.delay.count()));
}

otel_environment reader::read() {
  tracing_settings found;
  if (!is_on() || !read_endpoint(found.to)) return std::move(read_);
  read_export(found.to);
  read_resource(found.to);
  read_sampler(found.sampler);
  read_queue(found.queue);
  read_.tracing = std::move(found);
  return std::move(read_);
}

}  // namespace

otel_environment read_otel_environment(const std::vector<std::string>& environment) {
  return reader(environment).read();
}

}  // namespace ordem::app
