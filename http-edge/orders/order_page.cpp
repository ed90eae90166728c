#include "http-edge/orders/order_page.hpp"

#include "http-edge/orders/rendering.hpp"

#include <utility>

#include "engine/base/limits.hpp"

namespace ordem::http_edge {

order_page::order_page(std::string_view list_name, order_search orders, std::size_t orders_max,
                       std::string (*cursor_after)(const order&, bool is_on_page))
    : orders_(std::move(orders)), orders_max_(orders_max), cursor_after_(cursor_after), body_(list_name) {}

// Looks at one order more than the page has, to know whether there is a next page.
std::optional<response> order_page::read_until(std::chrono::steady_clock::time_point end) {
  do {
    auto next = orders_.next();
    if (!next) return storage_failed_response();
    if (next->order == nullptr) return finish(false);
    if (body_.orders() == orders_max_ || looked_at_ == limits::page_orders_looked_at_max) return finish(true);
    ++looked_at_;
    if (next->is_found) body_.add(*next->order);
    if (next->is_found && body_.bytes() > limits::page_bytes_max && body_.orders() > 1) {
      body_.drop_last();
      return finish(true);
    }
    last_ = std::move(*next);
  } while (std::chrono::steady_clock::now() < end);
  return std::nullopt;
}

response order_page::finish(bool has_next) {
  const auto cursor = has_next ? std::optional(cursor_after_(*last_.order, last_.is_found)) : std::nullopt;
  response made = json_response(200, body_.finish(cursor));
  add_position(made, shown_);
  return made;
}

}  // namespace ordem::http_edge
