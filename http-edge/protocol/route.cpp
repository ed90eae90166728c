#include "http-edge/protocol/route.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <span>

#include "engine/base/text.hpp"

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;

// Returns where the path begins. In an absolute-form that is behind the authority, which may contain the brackets of an
// IPv6 address.
std::size_t path_begin(std::string_view target) {
  const auto scheme_end = target.starts_with('/') ? target.npos : target.find("://");
  return scheme_end == target.npos ? 0 : std::min(target.find_first_of("/?", scheme_end + 3), target.size());
}

// Returns whether a URL must not contain the character unencoded (RFC 3986, appendix A), although browsers, curl and
// Node send it that way. Control characters and spaces are refused by the HTTP parser.
bool is_sent_raw(char c) {
  return static_cast<unsigned char>(c) >= 0x80 || std::string_view("\"<>[\\]^`{|}").find(c) != std::string_view::npos;
}

// Returns the target with such characters in its path and query percent-encoded, which makes them data.
std::string with_raw_characters_encoded(std::string_view target) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const std::size_t begin = path_begin(target);
  std::string encoded(target.substr(0, begin));
  for (const char c : target.substr(begin)) {
    if (is_sent_raw(c)) {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', digits[byte >> 4], digits[byte & 15]};
    } else {
      encoded += c;
    }
  }
  return encoded;
}

// Parses an origin-form or absolute-form. Returns nullopt for anything else.
std::optional<boost::urls::url_view> parse_target(std::string_view target) {
  if (const auto parsed = boost::urls::parse_origin_form(target)) return *parsed;
  const auto parsed = boost::urls::parse_absolute_uri(target);
  if (!parsed || parsed->host().empty()) return std::nullopt;
  return *parsed;
}

// Returns the decoded segments of an absolute path. A slash at the end adds no segment.
std::vector<std::string> segments_of(const boost::urls::url_view& url) {
  std::vector<std::string> segments;
  for (const auto segment : url.segments()) segments.push_back(segment);
  if (!segments.empty() && segments.back().empty()) segments.pop_back();
  return segments;
}

void name_order_resource(route& to, const std::vector<std::string>& path) {
  if (path.size() == 3) {
    to.resource = resource::orders;
    return;
  }
  to.name = path[3];
  if (path.size() == 4) {
    to.resource = path[3] == "batch" ? resource::order_batch : resource::order;
  } else if (path.size() == 5 && path[4] == "status") {
    to.resource = resource::order_status;
  } else if (path.size() == 5 && path[4] == "versions") {
    to.resource = resource::order_versions;
  } else if (path.size() == 6 && path[4] == "versions") {
    to.resource = resource::order_version;
    to.version = path[5];
  }
}

void name_capture_resource(route& to, const std::vector<std::string>& path) {
  if (path.size() == 3) to.resource = resource::captures;
  if (path.size() == 4) {
    to.resource = resource::capture;
    to.name = path[3];
  }
}

void name_operations_resource(route& to, std::string_view name) {
  if (name == "ping") to.resource = resource::ping;
  if (name == "ready") to.resource = resource::ready;
  if (name == "live") to.resource = resource::live;
  if (name == "position") to.resource = resource::position;
  if (name == "backup") to.resource = resource::backup;
  if (name == "state") to.resource = resource::state;
  if (name == "settings") to.resource = resource::settings;
}

void name_resource(route& to, const std::vector<std::string>& path) {
  if (std::any_of(path.begin(), path.end(), [](const auto& segment) { return segment.empty(); })) return;
  if (path.size() >= 3 && path[0] == "api" && path[1] == "v1") {
    if (path[2] == "orders") {
      name_order_resource(to, path);
    } else if (path[2] == "batch" && path.size() == 3) {
      to.resource = resource::batch;
    } else if (path[2] == "changes" && path.size() == 3) {
      to.resource = resource::changes;
    } else if (path[2] == "messages" && path.size() == 4) {
      to.resource = resource::message;
      to.name = path[3];
    }
  } else if (path.size() >= 3 && path[0] == "api" && path[1] == "v2" && path[2] == "captures") {
    name_capture_resource(to, path);
  } else if (path.size() == 2 && path[0] == "-") {
    name_operations_resource(to, path[1]);
  } else if (path.size() == 3 && path[0] == "-" && path[1] == "ready" && path[2] == "reads") {
    to.resource = resource::ready_reads;
  } else if (path.size() == 1 && path[0] == "problems") {
    to.resource = resource::problems;
  } else if (path.size() == 2 && path[0] == "problems") {
    to.resource = resource::problem;
    to.name = path[1];
  } else if (path.size() == 1 && path[0] == "console") {
    to.resource = resource::console;
  } else if (path.size() == 2 && path[0] == "console") {
    to.resource = resource::console_file;
    to.name = path[1];
  } else if (path.size() == 1 && path[0] == "metrics") {
    to.resource = resource::metrics;
  } else if (path.size() == 1 && path[0] == "openapi.yaml") {
    to.resource = resource::openapi;
  } else if (path.size() == 1 && path[0] == "openapi.json") {
    to.resource = resource::openapi_json;
  }
}

// Returns the query parameters of a call.
std::span<const std::string_view> known_parameters(resource what, http::verb method) {
  static constexpr std::string_view of_orders[] = {"customer_id",    "external_id", "status", "created_after",
                                                   "created_before", "limit",       "cursor"};
  static constexpr std::string_view of_versions[] = {"limit", "cursor"};
  static constexpr std::string_view of_batches[] = {"keys"};
  static constexpr std::string_view of_changes[] = {"after", "limit", "wait", "customer_id", "type"};
  if (is_of_batches(what)) return of_batches;
  if (is_write(what, method)) return {};
  switch (what) {
    case resource::orders: return of_orders;
    case resource::order_versions: return of_versions;
    case resource::changes: return of_changes;
    case resource::order:
    case resource::order_status:
    case resource::order_batch:
    case resource::batch:
    case resource::order_version:
    case resource::message:
    case resource::captures:
    case resource::capture:
    case resource::ping:
    case resource::ready:
    case resource::ready_reads:
    case resource::live:
    case resource::position:
    case resource::backup:
    case resource::state:
    case resource::settings:
    case resource::metrics:
    case resource::openapi:
    case resource::openapi_json:
    case resource::problems:
    case resource::problem:
    case resource::console:
    case resource::console_file:
    case resource::unknown: return {};
  }
  return {};
}

}  // namespace

std::optional<std::string_view> route::query_value(std::string_view key) const {
  for (const auto& [name_of, value] : query) {
    if (name_of == key) return value;
  }
  return std::nullopt;
}

std::optional<route> find_route(std::string_view target) {
  route found;
  if (target == "/api/v1/orders") {  // the path of most requests
    found.resource = resource::orders;
    return found;
  }
  std::string encoded;
  auto parsed = parse_target(target);
  if (!parsed) {
    encoded = with_raw_characters_encoded(target);
    parsed = parse_target(encoded);
    if (!parsed) return std::nullopt;
  }
  name_resource(found, segments_of(*parsed));
  for (const auto parameter : parsed->params()) {
    if (parameter.key.empty() && !parameter.has_value) continue;  // a bare question mark, or && in a query
    found.query.emplace_back(parameter.key, parameter.value);
  }
  return found;
}

std::string_view path_template(resource what) noexcept {
  switch (what) {
    case resource::orders: return "/api/v1/orders";
    case resource::order: return "/api/v1/orders/{id}";
    case resource::order_status: return "/api/v1/orders/{id}/status";
    case resource::order_batch: return "/api/v1/orders/batch";
    case resource::batch: return "/api/v1/batch";
    case resource::order_versions: return "/api/v1/orders/{id}/versions";
    case resource::order_version: return "/api/v1/orders/{id}/versions/{n}";
    case resource::message: return "/api/v1/messages/{guid}";
    case resource::changes: return "/api/v1/changes";
    case resource::captures: return "/api/v2/captures";
    case resource::capture: return "/api/v2/captures/{key}";
    case resource::ping: return "/-/ping";
    case resource::ready: return "/-/ready";
    case resource::ready_reads: return "/-/ready/reads";
    case resource::live: return "/-/live";
    case resource::position: return "/-/position";
    case resource::backup: return "/-/backup";
    case resource::state: return "/-/state";
    case resource::settings: return "/-/settings";
    case resource::metrics: return "/metrics";
    case resource::openapi: return "/openapi.yaml";
    case resource::openapi_json: return "/openapi.json";
    case resource::problems: return "/problems/";
    case resource::problem: return "/problems/{slug}";
    case resource::console: return "/console/";
    case resource::console_file: return "/console/{file}";
    case resource::unknown: return "unknown";
  }
  return "unknown";
}

std::string_view allowed_methods(resource what) noexcept {
  switch (what) {
    case resource::orders:
    case resource::backup: return "GET, HEAD, POST";
    case resource::order: return "GET, HEAD, PATCH, PUT";
    case resource::order_status:
    case resource::order_batch:
    case resource::batch: return "POST";
    case resource::captures: return "POST, PUT";
    case resource::capture: return "DELETE, GET, HEAD";
    case resource::order_versions:
    case resource::order_version:
    case resource::message:
    case resource::changes:
    case resource::ping:
    case resource::ready:
    case resource::ready_reads:
    case resource::live:
    case resource::position:
    case resource::state:
    case resource::settings:
    case resource::metrics:
    case resource::openapi:
    case resource::openapi_json:
    case resource::problems:
    case resource::problem:
    case resource::console:
    case resource::console_file: return "GET, HEAD";
    case resource::unknown: return "";
  }
  return "";
}

bool is_write(resource what, http::verb method) noexcept {
  switch (what) {
    case resource::orders:
    case resource::order_status:
    case resource::order_batch:
    case resource::batch: return method == http::verb::post;
    case resource::order: return method == http::verb::put || method == http::verb::patch;
    case resource::order_versions:
    case resource::order_version:
    case resource::message:
    case resource::changes:
    case resource::captures:
    case resource::capture:
    case resource::ping:
    case resource::ready:
    case resource::ready_reads:
    case resource::live:
    case resource::position:
    case resource::backup:
    case resource::state:
    case resource::settings:
    case resource::metrics:
    case resource::openapi:
    case resource::openapi_json:
    case resource::problems:
    case resource::problem:
    case resource::console:
    case resource::console_file:
    case resource::unknown: return false;
  }
  return false;
}

std::optional<std::string> query_error(const route& to, http::verb method) {
  const auto known = known_parameters(to.resource, method);
  for (auto each = to.query.begin(); each != to.query.end(); ++each) {
    const auto& [name, value] = *each;
    if (std::find(known.begin(), known.end(), name) == known.end())
      return in_quotes(name) + " is not a parameter of this call";
    const auto has_its_name = [&](const auto& earlier) { return earlier.first == name; };
    if (std::any_of(to.query.begin(), each, has_its_name)) return name + " is given more than once";
    if (!is_utf8(value)) return name + " is not UTF-8";
  }
  return std::nullopt;
}

bool is_of_captures(resource what) noexcept {
  return what == resource::captures || what == resource::capture;
}

bool is_executed(resource what, http::verb method) noexcept {
  if (is_of_captures(what)) return method != http::verb::get && method != http::verb::head;
  return is_write(what, method);
}

bool is_data_read(resource what, http::verb method) noexcept {
  if (method != http::verb::get && method != http::verb::head) return false;
  switch (what) {
    case resource::orders:
    case resource::order:
    case resource::order_versions:
    case resource::order_version:
    case resource::message:
    case resource::changes:
    case resource::capture: return true;
    case resource::order_status:
    case resource::order_batch:
    case resource::batch:
    case resource::captures:
    case resource::ping:
    case resource::ready:
    case resource::ready_reads:
    case resource::live:
    case resource::position:
    case resource::backup:
    case resource::state:
    case resource::settings:
    case resource::metrics:
    case resource::openapi:
    case resource::openapi_json:
    case resource::problems:
    case resource::problem:
    case resource::console:
    case resource::console_file:
    case resource::unknown: break;
  }
  return false;
}

bool is_of_batches(resource what) noexcept {
  return what == resource::order_batch || what == resource::batch;
}

bool is_of_operations(resource what) noexcept {
  return what != resource::unknown && !path_template(what).starts_with("/api/");
}

bool allows(resource what, http::verb method) noexcept {
  const bool reads = method == http::verb::get || method == http::verb::head;
  switch (what) {
    case resource::orders:
    case resource::order: return reads || is_write(what, method);
    case resource::order_status:
    case resource::order_batch:
    case resource::batch: return is_write(what, method);
    case resource::captures: return method == http::verb::put || method == http::verb::post;
    case resource::capture: return reads || method == http::verb::delete_;
    case resource::backup: return reads || method == http::verb::post;
    case resource::order_versions:
    case resource::order_version:
    case resource::message:
    case resource::changes:
    case resource::ping:
    case resource::ready:
    case resource::ready_reads:
    case resource::live:
    case resource::position:
    case resource::state:
    case resource::settings:
    case resource::metrics:
    case resource::openapi:
    case resource::openapi_json:
    case resource::problems:
    case resource::problem:
    case resource::console:
    case resource::console_file: return reads;
    case resource::unknown: return false;
  }
  return false;
}

}  // namespace ordem::http_edge
