// The target of a request.
//
// What a route was read from, written again with every character percent-encoded that may be, must be the same route;
// and what a resource allows must be what its header Allow says. What is wrong with a query must make an answer that is
// JSON, whatever the query holds.

#include "http-edge/protocol/route.hpp"

#include <array>
#include <boost/beast/http/verb.hpp>

#include "http-edge/protocol/response.hpp"
#include "tests/fuzz/support.hpp"

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;

std::string encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

// The path of what was found.
std::string path_of(const route& found) {
  const std::string name = encoded(found.name);
  switch (found.resource) {
    case resource::orders: return "/api/v1/orders";
    case resource::order: return "/api/v1/orders/" + name;
    case resource::order_status: return "/api/v1/orders/" + name + "/status";
    case resource::order_batch: return "/api/v1/orders/batch";
    case resource::batch: return "/api/v1/batch";
    case resource::order_versions: return "/api/v1/orders/" + name + "/versions";
    case resource::order_version: return "/api/v1/orders/" + name + "/versions/" + encoded(found.version);
    case resource::message: return "/api/v1/messages/" + name;
    case resource::changes: return "/api/v1/changes";
    case resource::captures: return "/api/v2/captures";
    case resource::capture: return "/api/v2/captures/" + name;
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
    case resource::problem: return "/problems/" + name;
    case resource::console: return "/console/";
    case resource::console_file: return "/console/" + name;
    case resource::unknown: return "/unknown";
  }
  ORDEM_CHECK(false && "a resource outside its enumeration");
  return {};
}

std::string target_of(const route& found) {
  std::string target = path_of(found);
  char separator = '?';
  for (const auto& [key, value] : found.query) {
    target += separator;
    target += encoded(key) + '=' + encoded(value);
    separator = '&';
  }
  return target;
}

void check_query(const route& found, http::verb method) {
  const auto wrong = query_error(found, method);
  if (wrong) ORDEM_CHECK(fuzz::is_json_object(problem_response(problem::malformed_query, *wrong).body));
}

void check_methods(resource what) {
  constexpr std::array verbs = {http::verb::get,   http::verb::head,    http::verb::post,    http::verb::put,
                                http::verb::patch, http::verb::delete_, http::verb::options, http::verb::trace};
  const std::string list = ", " + std::string(allowed_methods(what)) + ',';
  for (const http::verb verb : verbs) {
    const bool is_listed = list.find(", " + std::string(http::to_string(verb)) + ',') != std::string::npos;
    ORDEM_CHECK(allows(what, verb) == is_listed);
    ORDEM_CHECK(!is_write(what, verb) || allows(what, verb));
  }
}

void run(std::string_view target) {
  const auto found = find_route(target);
  if (!found) return;
  check_methods(found->resource);
  for (const http::verb method : {http::verb::get, http::verb::post}) {
    if (allows(found->resource, method)) check_query(*found, method);
  }
  for (const auto& [key, value] : found->query) ORDEM_CHECK(found->query_value(key).has_value());
  ORDEM_CHECK(found->version.empty() || found->resource == resource::order_version ||
              found->resource == resource::unknown);

  const auto again = find_route(target_of(*found));
  ORDEM_CHECK(again.has_value());
  ORDEM_CHECK(again->resource == found->resource);
  ORDEM_CHECK(again->query == found->query);
  if (found->resource == resource::unknown) return;
  ORDEM_CHECK(again->name == found->name);
  ORDEM_CHECK(again->version == found->version);
}

}  // namespace
}  // namespace ordem::http_edge

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ordem::http_edge::run(ordem::fuzz::text_of(data, size));
  return 0;
}
