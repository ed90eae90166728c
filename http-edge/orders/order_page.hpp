// A page of a list of orders that is being read: orders are read and rendered one by one, up to the requested number,
// limits::page_bytes_max or limits::page_orders_looked_at_max. Reading can be suspended between two orders, so that a
// large page, or one that is read from disk, does not keep an I/O thread from its other connections. Owned by a
// session, used by its I/O thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/codec/order_json.hpp"
#include "engine/model/ids.hpp"
#include "engine/ports/order_search.hpp"
#include "http-edge/protocol/response.hpp"

namespace ordem::http_edge {

class order_page {
 public:
  // `cursor_after` returns the cursor of the page that begins behind an order, which is on this page or was passed
  // over. `list_name` must be a literal.
  order_page(std::string_view list_name, order_search orders, std::size_t orders_max,
             std::string (*cursor_after)(const order&, bool is_on_page));

  // The response has this position, see add_position().
  void show_position(position shown) noexcept { shown_ = shown; }

  // Looks at at least one order, and further ones until `end`. Returns the response once the page is complete, else
  // nullopt. REQUIRES: no earlier call returned a response.
  std::optional<response> read_until(std::chrono::steady_clock::time_point end);

 private:
  response finish(bool has_next);

  order_search orders_;
  std::size_t orders_max_;
  std::string (*cursor_after_)(const order&, bool is_on_page);
  codec::order_list_json body_;
  std::optional<position> shown_;
  std::size_t looked_at_ = 0;
  order_search::step last_;
};

}  // namespace ordem::http_edge
