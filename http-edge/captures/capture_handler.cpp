#include "http-edge/captures/capture_handler.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/codec/capture_json.hpp"
#include "engine/model/json_value.hpp"
#include "http-edge/captures/capture_body.hpp"
#include "http-edge/protocol/headers.hpp"
#include "http-edge/protocol/request_header.hpp"

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view not_allocated = "Capture has not been allocated";

response error_response(unsigned status, std::string_view text) {
  std::string body = "{\"error\":";
  append_json_string(body, text);
  body += '}';
  response made = json_response(status, std::move(body));
  made.detail = text;
  if (status == 503 || status == 429) made.add_header("Retry-After", retry_after_seconds);
  return made;
}

response empty_response(unsigned status) {
  response made;
  made.status = status;
  return made;
}

response body_error_response(capture_body_error why) {
  switch (why) {
    case capture_body_error::malformed_payload: return error_response(400, "Malformed payload");
    case capture_body_error::malformed_key:
      return error_response(422, "Malformed idempotency key. Use URL safe base64 encoding without padding");
    case capture_body_error::response_too_large:
      return error_response(413, "The response is larger than --capture-max");
  }
  ORDEM_CHECK(false && "an error outside its enumeration");
  return {};
}

response verdict_response(const capture_answer& what) {
  constexpr std::string_view not_open = "Capture has been completed or has not been allocated";
  switch (what.verdict) {
    case capture_verdict::allocated: return empty_response(202);
    case capture_verdict::in_flight: return empty_response(409);
    case capture_verdict::completed: {
      ORDEM_CHECK(what.response != nullptr);
      std::string body = "{\"idempotency_key\":";
      append_json_string(body, what.key.view());
      body += ",\"response\":";
      codec::append_captured_response(body, *what.response);
      body += '}';
      return json_response(200, std::move(body));
    }
    case capture_verdict::recorded: return empty_response(200);
    case capture_verdict::not_recordable:
    case capture_verdict::not_releasable: return error_response(403, not_open);
    case capture_verdict::released: return empty_response(204);
    case capture_verdict::unknown: return error_response(404, not_allocated);
  }
  ORDEM_CHECK(false && "a verdict outside its enumeration");
  return {};
}

// Returns whether the request has a type that a browser sends for a web page of another origin without asking the
// server first (Fetch, "CORS-safelisted request-header"). No type at all is accepted: a well-known client sends none.
bool has_form_type(const http_request& request) {
  const auto [first, last] = request.equal_range(http::field::content_type);
  return std::any_of(first, last, [](const auto& line) { return is_form_type(line.value()); });
}

// `response_bytes_max` bounds a response that is recorded.
capture_body_result read_request(const http_request& request, const route& to, simdjson::dom::parser& parser,
                                 std::size_t response_bytes_max) {
  if (to.resource == resource::capture) {
    auto key = capture_key::parse(to.name);
    if (!key) return tl::make_unexpected(capture_body_error::malformed_key);
    return capture_request{std::move(*key), release_capture{}};
  }
  const std::string_view body = request.body().view();
  return request.method() == http::verb::put ? read_allocation(body, parser)
                                             : read_record(body, parser, response_bytes_max);
}

response with_position(response made, std::optional<position> visible) {
  add_position(made, visible);
  return made;
}

// Renders the refusal of a capture. Only the engine as a whole refuses captures; the other refusals are those of
// orders.
struct refusal_renderer {
  std::optional<position> visible;

  response operator()(unavailability why) const {
    const auto reason = reason_of(why);
    return capture_problem(reason.which, reason.detail, visible);
  }
  response operator()(const order_not_found&) const { return of_an_order(); }
  response operator()(const invalid_content&) const { return of_an_order(); }
  response operator()(const guid_reused&) const { return of_an_order(); }
  response operator()(const request_in_flight&) const { return of_an_order(); }

  static response of_an_order() {
    ORDEM_CHECK(false && "a capture was refused for a reason that only orders have");
    return {};
  }
};

struct answer_renderer {
  std::optional<position> visible;

  response operator()(const capture_answer& what) const { return with_position(verdict_response(what), visible); }
  response operator()(const refusal& why) const { return std::visit(refusal_renderer{visible}, why); }
  response operator()(const executed&) const {
    ORDEM_CHECK(false && "a capture was answered with the outcome of an order");
    return {};
  }
};

}  // namespace

std::optional<response> check_capture_header(const http_request& request, const route& to,
                                             const handler_context& context) {
  if (!allows(to.resource, request.method())) {
    response refused = error_response(405, "Method not allowed");
    refused.add_header("Allow", allowed_methods(to.resource));
    return refused;
  }
  if (context.status->now() == service_state::recovering) {
    return capture_problem(problem::recovering, "the data is being read", std::nullopt);
  }
  if (const auto wrong = query_error(to, request.method())) {
    return capture_problem(problem::malformed_query, *wrong, visible_position(context));
  }
  if (has_form_type(request)) {
    return capture_problem(problem::unsupported_media_type,
                           "the Content-Type is one that any web page may send; send application/json, or none",
                           visible_position(context));
  }
  const auto fault = to.resource == resource::captures ? find_body_fault(request) : std::nullopt;
  if (!fault) return std::nullopt;
  response refused = capture_problem(fault->which, fault->detail, visible_position(context));
  complete_refusal(refused, *fault);
  return refused;
}

tl::expected<capture_request, response> read_capture(const http_request& request, request_head&& head,
                                                     const handler_context& context, simdjson::dom::parser& parser,
                                                     std::size_t response_bytes_max) {
  auto read = read_request(request, head.to, parser, response_bytes_max);
  if (!read) return tl::make_unexpected(with_position(body_error_response(read.error()), visible_position(context)));
  read->origin = std::move(head.origin);
  return std::move(*read);
}

response find_capture(const request_head& head, const handler_context& context) {
  const auto visible = visible_position(context);
  const auto key = capture_key::parse(head.to.name);
  if (!key) return with_position(body_error_response(capture_body_error::malformed_key), visible);
  const auto found = context.captures->find_capture(head.origin.tenant, *key, context.clock->read());
  if (!found) return capture_problem(problem::storage_failed, "the data could not be read", visible);
  if (*found == nullptr) return with_position(error_response(404, not_allocated), visible);
  return with_position(json_response(200, codec::capture_text(*key, **found)), visible);
}

response capture_response(const answer& what, std::optional<position> visible) {
  return std::visit(answer_renderer{visible}, what);
}

response capture_problem(problem which, std::string_view detail, std::optional<position> visible) {
  response made = with_position(error_response(codec::row_of(which).status, detail), visible);
  made.problem = which;
  return made;
}

}  // namespace ordem::http_edge
