// Reads the query of a list of orders or versions. Pure functions; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/base/limits.hpp"
#include "engine/ports/order_search.hpp"
#include "http-edge/protocol/response.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

// The size of the page and where it begins.
struct page_query {
  std::size_t limit = limits::page_size_default;
  std::optional<std::string> cursor;
};

// Each function returns 400 malformed-query with the name of the parameter if its value is wrong.
tl::expected<page_query, response> read_page_query(const route& to);
tl::expected<order_filter, response> read_order_filter(const route& to);
// The cursor of a page of orders.
tl::expected<std::optional<order_id>, response> read_order_cursor(const page_query& page);

response bad_cursor();

}  // namespace ordem::http_edge
