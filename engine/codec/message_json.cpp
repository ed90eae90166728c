#include "engine/codec/message_json.hpp"

#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "engine/base/check.hpp"
#include "engine/codec/canonical_request.hpp"
#include "engine/codec/conflict_json.hpp"
#include "engine/codec/json_pieces.hpp"
#include "engine/codec/order_json.hpp"
#include "engine/codec/problem.hpp"
#include "engine/model/json_value.hpp"

namespace ordem::codec {
namespace {

recorded_response problem_of(problem which, unsigned status, std::string_view detail, std::string_view more = {}) {
  return {status, problem_body(row_of(which), status, detail, more), which, std::string(detail)};
}
recorded_response problem_of(problem which, std::string_view detail) {
  return problem_of(which, row_of(which).status, detail);
}

std::string named_order(const outcome& what) {
  return "order " + what.order.to_string();
}

recorded_response stale_version_response(const outcome& what, const conflict& of) {
  const std::string current = std::to_string(what.version.number);
  const std::string supplied = std::to_string(what.expected_version->version.number);
  return problem_of(
      problem::stale_version, recorded_status(what),
      "the write was made against version " + supplied + ", but " + named_order(what) + " is at version " + current,
      ",\"current_version\":" + current + ",\"supplied_version\":" + supplied + conflict_members(what, of));
}

recorded_response status_not_allowed_response(const outcome& what) {
  ORDEM_CHECK(what.requested_status.has_value());
  return problem_of(problem::status_not_allowed, named_order(what) + " is " + std::string(to_string(what.status)) +
                                                     " and cannot become " +
                                                     std::string(to_string(*what.requested_status)));
}

recorded_response order_closed_response(const outcome& what) {
  return problem_of(problem::order_closed, named_order(what) + " is " + std::string(to_string(what.status)) +
                                               ": its content can no longer change");
}

// Returns the member `code` of the body of a recorded response.
unsigned code_of(verdict what) {
  switch (what) {
    case verdict::order_created: return 201;
    case verdict::content_changed:
    case verdict::status_changed: return 200;
    case verdict::stale_version: return row_of(problem::stale_version).code;
    case verdict::status_not_allowed: return row_of(problem::status_not_allowed).code;
    case verdict::order_closed: return row_of(problem::order_closed).code;
  }
  ORDEM_CHECK(false && "a verdict outside its enumeration");
  return 0;
}

// Returns the command of a recorded message. If the record does not hold it, it is derived from the order's version.
command command_of(const message_record& record, const shared_order& order) {
  if (record.command) return *record.command;
  ORDEM_CHECK(order != nullptr);
  switch (record.outcome.verdict) {
    case verdict::order_created: return create_order{order->content};
    case verdict::content_changed: return replace_content{order->content};
    case verdict::status_changed: return change_status{order->status};
    case verdict::stale_version:
    case verdict::status_not_allowed:
    case verdict::order_closed: break;
  }
  ORDEM_CHECK(false && "a rejected message keeps its command");
  return change_status{};
}

}  // namespace

unsigned recorded_status(const outcome& what) {
  switch (what.verdict) {
    case verdict::order_created: return 201;
    case verdict::content_changed:
    case verdict::status_changed: return 200;
    case verdict::stale_version:
      ORDEM_CHECK(what.expected_version.has_value());
      return what.expected_version->by_if_match ? 412 : row_of(problem::stale_version).status;
    case verdict::status_not_allowed: return row_of(problem::status_not_allowed).status;
    case verdict::order_closed: return row_of(problem::order_closed).status;
  }
  ORDEM_CHECK(false && "a verdict outside its enumeration");
  return 0;
}

std::optional<problem> recorded_problem(verdict what) noexcept {
  switch (what) {
    case verdict::order_created:
    case verdict::content_changed:
    case verdict::status_changed: return std::nullopt;
    case verdict::stale_version: return problem::stale_version;
    case verdict::status_not_allowed: return problem::status_not_allowed;
    case verdict::order_closed: return problem::order_closed;
  }
  return std::nullopt;
}

recorded_response recorded_response_of(const outcome& what, const shared_order& order, const conflict& of) {
  const unsigned status = recorded_status(what);
  switch (what.verdict) {
    case verdict::order_created:
      ORDEM_CHECK(order != nullptr);
      return {status, order_body(status, "order created", *order), std::nullopt, {}};
    case verdict::content_changed:
    case verdict::status_changed:
      ORDEM_CHECK(order != nullptr);
      return {status, order_body(status, "order updated", *order), std::nullopt, {}};
    case verdict::stale_version: return stale_version_response(what, of);
    case verdict::status_not_allowed: return status_not_allowed_response(what);
    case verdict::order_closed: return order_closed_response(what);
  }
  ORDEM_CHECK(false && "a verdict outside its enumeration");
  return {};
}

message_json message_json_of(const message_record& record, const shared_order& order, const conflict& of) {
  const outcome& result = record.outcome;
  const auto what = command_of(record, order);
  const bool creates = std::holds_alternative<create_order>(what);
  const auto request = canonical(what, creates ? std::nullopt : std::optional(result.order), result.expected_version);
  const recorded_response recorded = recorded_response_of(result, order, of);
  return {"{\"method\":\"" + std::string(request.method) + "\",\"path\":\"" + request.path +
              "\",\"body\":" + request.body + "}",
          "{\"status\":" + std::to_string(recorded.status) + ",\"code\":" + std::to_string(code_of(result.verdict)) +
              ",\"body\":" + recorded.body + "}"};
}

std::string message_body(const guid& id, const message_record& record, const shared_order& order, const conflict& of) {
  const outcome& result = record.outcome;
  const message_json exchange = message_json_of(record, order, of);

  std::string body = "{\"code\":200,\"message\":\"ok\",\"guid\":";
  append_json_string(body, id.view());
  body += ",\"state\":\"completed\",\"request\":" + exchange.request + ",\"response\":" + exchange.response +
          ",\"order_id\":";
  append_id(body, result.order);
  body += ",\"version\":" + (is_accepted(result.verdict) ? std::to_string(result.version.number) : "null");
  body += ",\"created_at\":";
  append_time(body, record.created_at);
  body += ",\"expires_at\":";
  append_time(body, record.expires_at);
  append_actor(body, record.origin);
  body += '}';
  return body;
}

}  // namespace ordem::codec
