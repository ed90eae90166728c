#include "http-edge/orders/order_handler.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/limits.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/write_body.hpp"
#include "engine/ports/tenant_orders.hpp"
#include "engine/rules/validate.hpp"
#include "http-edge/orders/list_query.hpp"
#include "http-edge/orders/rendering.hpp"
#include "http-edge/orders/write_message.hpp"
#include "http-edge/protocol/headers.hpp"

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;

using read_response = std::variant<response, order_page>;

// --- writes ---

codec::write_kind kind_of(const route& to, http::verb method) {
  if (to.resource == resource::orders) return codec::write_kind::create;
  if (to.resource == resource::order_status) return codec::write_kind::change_status;
  return method == http::verb::patch ? codec::write_kind::merge : codec::write_kind::replace;
}

// Returns an error unless there is one Content-Type, which is one of the two types, in UTF-8.
or_response<void> check_media_type(const http_request& request, std::string_view accepted,
                                   std::string_view also_accepted) {
  const auto [first, last] = request.equal_range(http::field::content_type);
  const std::string type = first == last ? "" : media_type(first->value());
  if (first != last && std::next(first) != last)
    return refuse(problem::unsupported_media_type, "Content-Type is given more than once");
  if (type != accepted && type != also_accepted)
    return refuse(problem::unsupported_media_type,
                  type.empty() ? "the request has no Content-Type" : "the body is " + in_quotes(type));
  if (has_other_charset(first->value()))
    return refuse(problem::unsupported_media_type, "Content-Type names a charset other than UTF-8");
  return {};
}

or_response<void> check_media_type(const http_request& request, codec::write_kind kind) {
  constexpr std::string_view json = "application/json";
  constexpr std::string_view merge_patch = "application/merge-patch+json";
  const bool merges = kind == codec::write_kind::merge;
  auto checked = check_media_type(request, json, merges ? merge_patch : json);
  if (!checked && merges) checked.error().add_header("Accept-Patch", merge_patch);
  return checked;
}

// Checks the header fields that describe the body, apart from its type.
or_response<void> check_body_fields(const http_request& request) {
  const auto fault = find_body_fault(request);
  if (!fault) return {};
  auto refused = refuse(fault->which, fault->detail);
  complete_refusal(refused.value(), *fault);
  return refused;
}

or_response<std::optional<guid>> guid_of_header(const http_request& request) {
  const auto [first, last] = request.equal_range("Idempotency-Key");
  if (first == last) return std::nullopt;
  if (std::next(first) != last) return refuse(problem::guid_malformed, "Idempotency-Key is given more than once");
  auto id = parse_idempotency_key(first->value());
  if (!id) {
    return refuse(problem::guid_malformed,
                  "Idempotency-Key is not one GUID: 1 to 255 visible ASCII characters, in quotes if there is a comma");
  }
  return id;
}

or_response<std::optional<version>> version_of_header(const http_request& request) {
  const auto [first, last] = request.equal_range(http::field::if_match);
  if (first == last) return std::nullopt;
  const auto of_header = std::next(first) == last ? parse_if_match(first->value()) : std::nullopt;
  if (!of_header) return refuse(problem::version_malformed, "If-Match is not exactly one version in quotes");
  return of_header;
}

// The preference is ignored where nothing is merged, as RFC 7240, section 2, asks.
bool prefers_merge(const http_request& request, codec::write_kind kind) {
  if (kind != codec::write_kind::replace && kind != codec::write_kind::merge) return false;
  const auto [first, last] = request.equal_range(http::field::prefer);
  return std::any_of(first, last, [](const auto& line) { return has_preference(line.value(), "merge"); });
}

constexpr write_source::details errors_of_request{
    .guid_missing = "neither Idempotency-Key nor the member guid is given",
    .guid_mismatch = "Idempotency-Key and the member guid differ",
    .version_missing = "neither If-Match nor the member version is given",
    .version_mismatch = "If-Match and the member version differ",
};

or_response<message> read_message(const http_request& request, request_head&& head, simdjson::dom::parser& parser) {
  const codec::write_kind kind = kind_of(head.to, request.method());
  auto body = codec::read_write_body(kind, request.body().view(), parser);
  if (!body) return refuse(problem::malformed_json, body.error().detail);
  write_source from{.errors = errors_of_request,
                    .guid = std::move(head.guid),
                    .order_id = head.to.name,
                    .version = version_of_header(request),
                    .version_is_if_match = true,
                    .merges = prefers_merge(request, kind)};
  auto made = make_message(from, *body);
  if (made) made->origin = std::move(head.origin);
  return made;
}

// The value of the parameter keys with which lines need no key.
constexpr std::string_view generated = "generated";

// --- reads ---

response with_tag_check(const http_request& request, const order& what) {
  const auto [first, last] = request.equal_range(http::field::if_none_match);
  const bool unchanged_since =
      std::any_of(first, last, [&](const auto& line) { return if_none_match_holds(line.value(), what.version); });
  if (!unchanged_since) return order_response(what);
  response unchanged;
  unchanged.status = 304;
  unchanged.add_header("ETag", entity_tag(what.version));
  return unchanged;
}

response get_order(const http_request& request, const route& to, const tenant_orders& orders) {
  const auto id = order_id::parse(to.name);
  if (!id) return no_such_order();
  const auto found = orders.find_order(*id);
  if (!found) return storage_failed_response();
  return *found == nullptr ? no_such_order() : with_tag_check(request, **found);
}

response get_version(const http_request& request, const route& to, const tenant_orders& orders) {
  const auto id = order_id::parse(to.name);
  if (!id) return no_such_order();
  const auto current = orders.find_order(*id);
  if (!current) return storage_failed_response();
  if (*current == nullptr) return no_such_order();
  const auto number = parse_positive(to.version);
  const auto found = number ? orders.find_version(*id, {*number}) : shared_order{};
  if (!found) return storage_failed_response();
  if (*found == nullptr) {
    return problem_response(problem::version_not_found,
                            "the order is at version " + std::to_string((*current)->version.number));
  }
  return with_tag_check(request, **found);
}

read_response list_versions(const route& to, const tenant_orders& orders) {
  const auto page = read_page_query(to);
  if (!page) return page.error();
  const auto id = order_id::parse(to.name);
  if (!id) return no_such_order();
  std::optional<version> before;
  if (page->cursor) {
    const auto number = parse_positive(*page->cursor);
    if (!number) return bad_cursor();
    before = version{*number};
  }
  const auto current = orders.find_order(*id);
  if (!current) return storage_failed_response();
  if (*current == nullptr) return no_such_order();
  return order_page("versions", orders.find_versions(**current, before), page->limit,
                    [](const order& last, bool) { return std::to_string(last.version.number); });
}

// The cursor is an id. That of an order that was passed over is not shown, since it may be of another tenant.
std::string order_cursor_after(const order& last, bool is_on_page) {
  return (is_on_page ? last.id : lowest_id_like(last.id)).to_string();
}

read_response list_orders(const route& to, const tenant_orders& orders) {
  const auto page = read_page_query(to);
  if (!page) return page.error();
  auto filter = read_order_filter(to);
  if (!filter) return std::move(filter.error());
  const auto after = read_order_cursor(*page);
  if (!after) return after.error();
  return order_page("orders", orders.find_orders(std::move(*filter), *after), page->limit, order_cursor_after);
}

response get_message(const route& to, const tenant_orders& orders, const clock_reading& now) {
  const auto id = guid::parse(to.name);
  if (!id) return problem_response(problem::message_not_found, "no message can have this GUID");
  const auto record = orders.find_message(*id, now);
  if (!record) return storage_failed_response();
  if (!*record) return problem_response(problem::message_not_found, "no message with this GUID is kept");
  const outcome& result = (*record)->outcome;
  read_result<shared_order> made = shared_order{};
  if (is_accepted(result.verdict)) {
    made = orders.find_version(result.order, result.version);
    if (!made || *made == nullptr) return storage_failed_response();
  }
  const auto of = orders.find_conflict(**record);
  if (!of) return storage_failed_response();
  return message_response(*id, **record, *made, *of);
}

read_response read_shown(const http_request& request, const request_head& head, const handler_context& context) {
  const route& to = head.to;
  const tenant_orders orders(*context.orders, head.origin.tenant);
  switch (to.resource) {
    case resource::orders: return list_orders(to, orders);
    case resource::order: return get_order(request, to, orders);
    case resource::order_versions: return list_versions(to, orders);
    case resource::order_version: return get_version(request, to, orders);
    case resource::message: return get_message(to, orders, context.clock->read());
    case resource::order_status:
    case resource::order_batch:
    case resource::batch:
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
    case resource::unknown: break;
  }
  ORDEM_CHECK(false && "not a resource of orders that can be read");
  return response{};
}

}  // namespace

or_response<std::optional<guid>> check_write_header(const http_request& request, const route& to,
                                                    const handler_context& context) {
  auto checked = check_body_fields(request);
  if (checked) checked = check_media_type(request, kind_of(to, request.method()));
  if (!checked) return tl::make_unexpected(refused_write(std::move(checked.error()), context));
  auto id = guid_of_header(request);
  if (!id) return tl::make_unexpected(refused_write(std::move(id.error()), context));
  return id;
}

batch_request batch_request_of(const request_head& head) {
  return {.lines = head.to.resource == resource::batch ? codec::line_form::command : codec::line_form::create,
          .generates_keys = head.to.query_value("keys") == generated,
          .origin = head.origin};
}

std::optional<response> check_batch_header(const http_request& request, const route& to,
                                           const handler_context& context) {
  if (const auto keys = to.query_value("keys"); keys && *keys != generated)
    return refused_write(problem_response(problem::malformed_query, "the only value of keys is generated"), context);
  if (request.version() < 11) {
    return refused_write(problem_response(problem::malformed_request, "a batch is answered in chunks: use HTTP/1.1"),
                         context);
  }
  auto checked = check_body_fields(request);
  if (checked) checked = check_media_type(request, batch_media_type, batch_media_type);
  if (!checked) return refused_write(std::move(checked.error()), context);
  return std::nullopt;
}

std::optional<response> check_target_and_version(const http_request& request, const route& to,
                                                 const handler_context& context) {
  if (kind_of(to, request.method()) == codec::write_kind::create) return std::nullopt;
  if (auto of_header = version_of_header(request); !of_header)
    return refused_write(std::move(of_header.error()), context);
  if (!order_id::parse(to.name)) return refused_write(no_such_order(), context);
  return std::nullopt;
}

or_response<message> read_write(const http_request& request, request_head&& head, const handler_context& context,
                                simdjson::dom::parser& parser) {
  auto read = read_message(request, std::move(head), parser);
  if (!read) return tl::make_unexpected(refused_write(std::move(read.error()), context));
  return read;
}

read_response read_orders(const http_request& request, const request_head& head, const handler_context& context) {
  if (!head.is_stale_read) return read_shown(request, head, context);
  // Taken before the read, which so shows everything up to it.
  const auto shown = visible_position(context);
  read_response made = read_shown(request, head, context);
  if (auto* page = std::get_if<order_page>(&made)) {
    if (shown) page->show_position(*shown);
  } else if (auto& whole = std::get<response>(made); whole.status < 400 || whole.status == 404) {
    add_position(whole, shown);
  }
  return made;
}

response refused_write(response refused, const handler_context& context) {
  add_write_headers(refused, context.clock->now(), visible_position(context));
  return refused;
}

}  // namespace ordem::http_edge
