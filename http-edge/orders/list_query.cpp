#include "http-edge/orders/list_query.hpp"

#include "engine/model/time.hpp"
#include "engine/rules/validate.hpp"
#include "http-edge/orders/rendering.hpp"
#include "http-edge/protocol/headers.hpp"

namespace ordem::http_edge {
namespace {

// Reads a parameter by `parse`, which returns nullopt for a wrong value; `rule` says which values there are.
template <class Parse>
auto read(const route& to, std::string_view name, Parse parse, std::string_view rule)
    -> tl::expected<decltype(parse(std::string_view())), response> {
  const auto text = to.query_value(name);
  if (!text) return decltype(parse(*text))();
  auto value = parse(*text);
  if (!value) return refuse_query(std::string(name) + " " + std::string(rule));
  return value;
}

tl::expected<std::optional<std::string>, response> read_text(const route& to, std::string_view name,
                                                             validation_error (*validate)(std::string_view) noexcept) {
  const auto text = to.query_value(name);
  if (!text) return std::nullopt;
  if (const auto rule = validate(*text)) return refuse_query(std::string(name) + " " + std::string(*rule));
  return std::string(*text);
}

constexpr std::string_view time_rule =
    "must be a time of RFC 3339, such as 2026-11-22T10:15:30Z; in a query a plus sign is written %2B";

}  // namespace

tl::expected<page_query, response> read_page_query(const route& to) {
  page_query page;
  if (const auto text = to.query_value("limit")) {
    const auto limit = parse_positive(*text);
    if (!limit || *limit > limits::page_size_max) return refuse_query("limit is not a number from 1 to 1000");
    page.limit = static_cast<std::size_t>(*limit);
  }
  page.cursor = to.query_value("cursor");
  return page;
}

tl::expected<order_filter, response> read_order_filter(const route& to) {
  auto customer_id = read_text(to, "customer_id", validate_customer_id);
  if (!customer_id) return tl::make_unexpected(std::move(customer_id.error()));
  auto external_id = read_text(to, "external_id", validate_external_id);
  if (!external_id) return tl::make_unexpected(std::move(external_id.error()));
  auto status = read(to, "status", parse_order_status, "must be new, confirmed, shipped, delivered or cancelled");
  if (!status) return tl::make_unexpected(std::move(status.error()));
  auto after = read(to, "created_after", parse_rfc3339, time_rule);
  if (!after) return tl::make_unexpected(std::move(after.error()));
  auto before = read(to, "created_before", parse_rfc3339, time_rule);
  if (!before) return tl::make_unexpected(std::move(before.error()));
  return order_filter{std::move(*customer_id), std::move(*external_id), *status, *after, *before};
}

tl::expected<std::optional<order_id>, response> read_order_cursor(const page_query& page) {
  if (!page.cursor) return std::nullopt;
  auto after = order_id::parse(*page.cursor);
  if (!after) return tl::make_unexpected(bad_cursor());
  return after;
}

response bad_cursor() {
  return problem_response(problem::malformed_query, "cursor is not the next_cursor of an earlier answer");
}

}  // namespace ordem::http_edge
