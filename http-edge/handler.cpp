#include "http-edge/handler.hpp"

#include <iterator>
#include <string>
#include <utility>

#include "auth/scope_names.hpp"
#include "engine/base/check.hpp"
#include "engine/base/limits.hpp"
#include "http-edge/captures/capture_handler.hpp"
#include "http-edge/console/console_handler.hpp"
#include "http-edge/operations/backup_handler.hpp"
#include "http-edge/operations/operations_handler.hpp"
#include "http-edge/orders/order_handler.hpp"
#include "http-edge/orders/rendering.hpp"
#include "http-edge/protocol/headers.hpp"
#include "http-edge/protocol/listener.hpp"

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;

// Capacity of a JSON parser, in bytes of JSON. It grows with larger bodies.
constexpr std::size_t first_capacity = std::size_t{16} << 10;
constexpr std::size_t kept_capacity_max = std::size_t{1} << 20;

template <class... Alternatives>
handled to_handled(std::variant<Alternatives...>&& result) {
  return std::visit([](auto&& each) -> handled { return std::forward<decltype(each)>(each); }, std::move(result));
}

template <class Request>
handled to_handled(tl::expected<Request, response>&& result) {
  if (!result) return std::move(result.error());
  return std::move(*result);
}

// The detail of the error for a target that is not a valid path or URL.
std::string_view target_error(std::string_view target) {
  constexpr std::string_view no_path = "the request's target is neither a path nor a URL";
  if (!target.starts_with('/') && target.find("://") == target.npos) return no_path;
  if (target.find('#') != target.npos)
    return "the request's target has the character '#', which needs percent-encoding";
  if (target.find('%') != target.npos) return "the request's target has a '%' without two hexadecimal digits behind it";
  return no_path;
}

// Whether the call reads or writes orders or the log, which is not possible while the service is recovering.
bool needs_data(resource what) {
  switch (what) {
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
    case resource::position:
    case resource::backup: return true;
    case resource::ping:
    case resource::ready:
    case resource::ready_reads:
    case resource::live:
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
  ORDEM_CHECK(false && "a resource outside its enumeration");
  return false;
}

response method_not_allowed(resource what) {
  response refused =
      problem_response(problem::method_not_allowed, "this path takes " + std::string(allowed_methods(what)));
  refused.add_header("Allow", allowed_methods(what));
  return refused;
}

// Neither the form of captures nor that of problems has headers here that speak of the data.
response response_to(const access_refusal& why, resource to) {
  std::string more;
  if (why.missing) more = ",\"scope\":\"" + std::string(auth::to_string(*why.missing)) + '"';
  response refused = is_of_captures(to) ? capture_problem(why.which, why.detail, std::nullopt)
                                        : problem_response(why.which, why.detail, more);
  if (!why.challenge.empty()) refused.add_header("WWW-Authenticate", why.challenge);
  return refused;
}

// Checks what does not depend on the kind of write. Returns the error, if there is one.
std::optional<response> check_state_and_query(const http_request& request, const route& to,
                                              const handler_context& context) {
  if (needs_data(to.resource) && context.status->now() == service_state::recovering)
    return problem_response(problem::recovering, "the data is being read");
  if (const auto error = query_error(to, request.method())) return problem_response(problem::malformed_query, *error);
  return std::nullopt;
}

// Whether the request is to be answered from what this node has, be it behind. Returns an error for a value of
// Ordem-Read that is not known.
tl::expected<bool, std::string_view> reads_stale(const http_request& request) {
  const auto [first, last] = request.equal_range("Ordem-Read");
  if (first == last) return false;
  if (std::next(first) != last) return tl::make_unexpected("Ordem-Read is given more than once");
  if (trimmed(first->value()) != "stale") return tl::make_unexpected("the only value of Ordem-Read is stale");
  return true;
}

// A stream of the change feed passes no gate: each of its events has its position, and it may be behind at any time.
bool needs_gate(const http_request& request, resource what) {
  return what != resource::changes || preferred_form(request[http::field::accept]) == feed_form::page;
}

}  // namespace

handler::handler(const handler_context& context, std::size_t captured_bytes_max, access_control&& access)
    : context_(context), access_(std::move(access)), captured_bytes_max_(captured_bytes_max) {
  ORDEM_CHECK(parser_.allocate(first_capacity, limits::json_depth_max) == simdjson::SUCCESS);
  ORDEM_CHECK(line_parser_.allocate(first_capacity, limits::json_depth_max + 1) == simdjson::SUCCESS);
}

// Bodies of many megabytes are rare: the memory for them is not kept.
void handler::shrink_parser() {
  if (parser_.capacity() <= kept_capacity_max) return;
  parser_ = simdjson::dom::parser();
  ORDEM_CHECK(parser_.allocate(first_capacity, limits::json_depth_max) == simdjson::SUCCESS);
}

tl::expected<authorization, response> handler::authorize(const http_request& request, const std::optional<route>& to,
                                                         const connection_info& from) {
  const resource what = resource_of(to);
  auto decided = access_.authorize(request, what, from);
  if (!decided) return tl::make_unexpected(response_to(decided.error(), what));
  return std::move(*decided);
}

tl::expected<request_head, response> handler::read_head(const http_request& request, std::optional<route>&& to,
                                                        const connection_info& from, origin&& sender) const {
  auto head = check_head(request, std::move(to), from, std::move(sender));
  if (!head || !is_data_read(head->to.resource, request.method())) return head;
  const auto stale = reads_stale(request);
  if (!stale) {
    return tl::make_unexpected(
        refusal_of(problem::malformed_request, stale.error(), request.method(), head->to.resource, context_));
  }
  head->is_stale_read = *stale;
  head->is_gated = context_.gate != nullptr && !*stale && needs_gate(request, head->to.resource);
  return head;
}

tl::expected<request_head, response> handler::check_head(const http_request& request, std::optional<route>&& to,
                                                         const connection_info& from, origin&& sender) const {
  // The connection stays open: it is clear where a request with a bad target ends.
  if (!to) return refuse(problem::malformed_request, target_error(request.target()));
  if (to->resource == resource::unknown) return refuse(problem::not_found, "there is nothing at this path");
  if (!serves(from.listener, context_.listeners, to->resource, request.method()))
    return refuse(problem::not_found, "there is nothing at this path of this port");
  if (is_of_captures(to->resource)) {
    if (auto refused = check_capture_header(request, *to, context_)) return tl::make_unexpected(std::move(*refused));
    return request_head{std::move(*to), std::nullopt, std::move(sender)};
  }
  if (!allows(to->resource, request.method())) return tl::make_unexpected(method_not_allowed(to->resource));
  const bool writes = is_write(to->resource, request.method());
  if (auto refused = check_state_and_query(request, *to, context_))
    return tl::make_unexpected(writes ? refused_write(std::move(*refused), context_) : std::move(*refused));
  if (!writes) return request_head{std::move(*to), std::nullopt, std::move(sender)};
  if (is_of_batches(to->resource)) {
    if (auto refused = check_batch_header(request, *to, context_)) return tl::make_unexpected(std::move(*refused));
    return request_head{std::move(*to), std::nullopt, std::move(sender)};
  }
  auto id = check_write_header(request, *to, context_);
  if (!id) return tl::make_unexpected(std::move(id.error()));
  return request_head{std::move(*to), std::move(*id), std::move(sender)};
}

std::optional<response> handler::refuse_unsent_body(const http_request& request, const request_head& head) const {
  if (is_of_batches(head.to.resource) || !is_write(head.to.resource, request.method())) return std::nullopt;
  return check_target_and_version(request, head.to, context_);
}

handled handler::handle(const http_request& request, request_head&& head) {
  const resource what = head.to.resource;
  switch (what) {
    case resource::orders:
    case resource::order:
    case resource::order_status:
    case resource::order_versions:
    case resource::order_version:
    case resource::message:
      return is_write(what, request.method()) ? to_handled(read_write(request, std::move(head), context_, parser_))
                                              : to_handled(read_orders(request, head, context_));
    case resource::changes: return to_handled(read_feed_request(request, head, context_));
    case resource::captures:
    case resource::capture: {
      if (what == resource::capture && request.method() != http::verb::delete_) return find_capture(head, context_);
      auto result = read_capture(request, std::move(head), context_, parser_, captured_bytes_max_);
      shrink_parser();
      return to_handled(std::move(result));
    }
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
    case resource::problem: return operations_response(head.to, context_);
    case resource::console:
    case resource::console_file: return console_response(request, head.to);
    case resource::backup: return backup_response(request, context_, parser_);
    case resource::order_batch:
    case resource::batch:
    case resource::unknown: break;
  }
  ORDEM_CHECK(false && "read_head() refuses unknown resources, and batches are not handled here");
  return response{};
}

response answer_response(resource to, const answer& what, const handler_context& context) {
  const auto visible = visible_position(context);
  return is_of_captures(to) ? capture_response(what, visible)
                            : write_response(what, context.clock->now(), visible, *context.orders);
}

response refused_before_authorization(problem which, std::string_view detail, resource to) {
  response refused =
      is_of_captures(to) ? capture_problem(which, detail, std::nullopt) : problem_response(which, detail);
  refused.close = true;
  return refused;
}

response refused_request(problem which, std::string_view detail, http::verb method, resource to,
                         const handler_context& context) {
  response refused = refusal_of(which, detail, method, to, context);
  refused.close = true;
  return refused;
}

response refusal_of(problem which, std::string_view detail, http::verb method, resource to,
                    const handler_context& context) {
  if (is_of_captures(to)) return capture_problem(which, detail, visible_position(context));
  response refused = problem_response(which, detail);
  return is_write(to, method) ? refused_write(std::move(refused), context) : refused;
}

}  // namespace ordem::http_edge
