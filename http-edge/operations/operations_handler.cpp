#include "http-edge/operations/operations_handler.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/problem.hpp"
#include "http-edge/operations/problem_pages.hpp"
#include "http-edge/operations/report_rendering.hpp"

namespace ordem::embedded {
extern const std::string_view openapi_yaml;
extern const std::string_view openapi_json;
}  // namespace ordem::embedded

namespace ordem::http_edge {
namespace {

response text_response(std::string_view content_type, std::string body) {
  response made;
  made.content_type = content_type;
  made.body = std::move(body);
  return made;
}

// `is_enough` returns whether the state permits what the client asks about: writes or reads.
response ready_response(service_state state, bool (*is_enough)(service_state)) {
  const bool enough = is_enough(state);
  const auto limited = [enough](std::string_view status, std::string_view reason) {
    response made = json_response(
        enough ? 200 : 503, "{\"status\":\"" + std::string(status) + "\",\"reason\":\"" + std::string(reason) + "\"}");
    if (!enough) made.add_header("Retry-After", "1");
    return made;
  };
  switch (state) {
    case service_state::recovering: return limited("recovering", "the data is being read, or brought to Postgres");
    case service_state::ready: return json_response(200, "{\"status\":\"ready\"}");
    case service_state::no_owner:
      return limited("no-owner",
                     "this node knows no owner of the log, or cannot follow the log; the server's log says why");
    case service_state::read_only:
      return limited("read-only", "no writes are taken at present; the server's log says why");
    case service_state::draining: return limited("draining", "the server is shutting down");
  }
  ORDEM_CHECK(false && "a state outside its enumeration");
  return {};
}

response position_response(const log_positions& now) {
  std::string body = "{\"decided\":";
  append_number(body, now.decided.number);
  body += ",\"durable\":";
  append_number(body, now.durable.number);
  body += ",\"persisted\":";
  if (now.persisted) {
    append_number(body, now.persisted->number);
  } else {
    body += "null";
  }
  body += '}';
  return json_response(200, std::move(body));
}

// The pages have no scripts and load nothing. No other page may show them in a frame.
response page_response(std::string body) {
  response made = text_response("text/html; charset=utf-8", std::move(body));
  made.add_header("Content-Security-Policy",
                  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
                  "frame-ancestors 'none'");
  return made;
}

response problem_page_response(const route& to) {
  const codec::problem_row* row = codec::find_problem(to.name);
  if (row == nullptr) return problem_response(problem::not_found, "there is no such problem");
  return page_response(problem_page(*row));
}

}  // namespace

response operations_response(const route& to, const handler_context& context) {
  switch (to.resource) {
    case resource::ping: return json_response(200, "{\"message\":\"pong\"}");
    case resource::live: return json_response(200, "{\"status\":\"live\"}");
    case resource::ready: return ready_response(context.status->now(), takes_writes);
    case resource::ready_reads: return ready_response(context.status->now(), serves_reads);
    case resource::position: return position_response(context.positions());
    case resource::state:
      return state_response(context.reports->report(), context.reports->version(), context.status->now());
    case resource::settings: return settings_response(*context.reports);
    case resource::metrics: return text_response("text/plain; version=0.0.4; charset=utf-8", context.metrics_text());
    case resource::openapi: return text_response("application/yaml", std::string(embedded::openapi_yaml));
    case resource::openapi_json: return json_response(200, std::string(embedded::openapi_json));
    case resource::problems: return page_response(problem_list_page());
    case resource::problem: return problem_page_response(to);
    case resource::orders:
    case resource::order:
    case resource::order_status:
    case resource::order_batch:
    case resource::batch:
    case resource::order_versions:
    case resource::order_version:
    case resource::message:
    case resource::changes:
    case resource::captures:
    case resource::capture:
    case resource::backup:
    case resource::console:
    case resource::console_file:
    case resource::unknown: break;
  }
  ORDEM_CHECK(false && "not a resource of operations");
  return {};
}

}  // namespace ordem::http_edge
