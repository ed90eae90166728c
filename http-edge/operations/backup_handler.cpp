#include "http-edge/operations/backup_handler.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/text.hpp"
#include "engine/codec/json_pieces.hpp"
#include "engine/model/json_value.hpp"
#include "http-edge/protocol/headers.hpp"

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;
namespace dom = simdjson::dom;

std::string_view to_string(backup_status what) noexcept {
  switch (what) {
    case backup_status::none: return "none";
    case backup_status::running: return "running";
    case backup_status::made: return "made";
    case backup_status::failed: return "failed";
  }
  return {};
}

void append_member(std::string& out, std::string_view name, std::uint64_t number) {
  out += ",\"";
  out += name;
  out += "\":";
  append_number(out, number);
}

void append_member(std::string& out, std::string_view name, timestamp at) {
  out += ",\"";
  out += name;
  out += "\":";
  codec::append_time(out, at);
}

response state_response(unsigned status, const backup_state& now) {
  std::string body = "{\"status\":\"";
  body += to_string(now.status);
  body += '"';
  if (now.status != backup_status::none) {
    body += ",\"folder\":";
    append_json_string(body, now.folder);
    append_member(body, "began_at", now.began_at);
    if (now.status != backup_status::running) append_member(body, "ended_at", now.ended_at);
    append_member(body, "files", now.files);
    append_member(body, "bytes", now.bytes);
  }
  if (now.status == backup_status::made) {
    append_member(body, "bytes_linked", now.bytes_linked);
    append_member(body, "position", now.last.number);
  }
  if (now.status == backup_status::failed) {
    body += ",\"reason\":";
    append_json_string(body, now.reason);
  }
  body += '}';
  return json_response(status, std::move(body));
}

// Returns an error for a body that cannot be read.
std::optional<response> check_body(const http_request& request) {
  if (const auto fault = find_body_fault(request)) {
    response refused = problem_response(fault->which, fault->detail);
    complete_refusal(refused, *fault);
    return refused;
  }
  const auto [first, last] = request.equal_range(http::field::content_type);
  if (first == last || std::next(first) != last || media_type(first->value()) != "application/json") {
    return problem_response(problem::unsupported_media_type, "send one Content-Type: application/json");
  }
  return std::nullopt;
}

response begin_backup(const http_request& request, const handler_context& context, dom::parser& parser) {
  if (auto refused = check_body(request)) return std::move(*refused);
  if (context.status->now() == service_state::draining) {
    return problem_response(problem::draining, "the server is shutting down; no back-up was begun");
  }
  const std::string_view body = without_byte_order_mark(request.body().view());
  constexpr bool copy_for_padding = false;
  dom::element json;
  if (const auto error = parser.parse(body.data(), body.size(), copy_for_padding).get(json); error != simdjson::SUCCESS)
    return problem_response(problem::malformed_json, simdjson::error_message(error));
  dom::object members;
  std::string_view to;
  if (json.get(members) != simdjson::SUCCESS || members.size() != 1 ||
      members.at_key("to").get(to) != simdjson::SUCCESS) {
    return problem_response(problem::backup_refused,
                            "the body must be an object with one member, to, the name of the folder");
  }
  auto begun = context.backups->begin(to);
  if (!begun) return problem_response(begun.error().which, begun.error().detail);
  response made = state_response(202, *begun);
  made.add_header("Location", "/-/backup");
  return made;
}

}  // namespace

response backup_response(const http_request& request, const handler_context& context, dom::parser& parser) {
  return request.method() == http::verb::post ? begin_backup(request, context, parser)
                                              : state_response(200, context.backups->state());
}

}  // namespace ordem::http_edge
