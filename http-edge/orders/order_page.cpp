#include "http-edge/orders/order_page.hpp"

#include "http-edge/orders/rendering.hpp"

#include <utility>

#include "engine/base/limits.hpp"

namespace ordem::http_edge {

order_page::order_page(std::string_view list_name, std::unique_ptr<order_list> orders, std::size_t orders_max,
                       std::string (*cursor_after)(const order&))
    : orders_(std::move(orders)), orders_max_(orders_max), cursor_after_(cursor_after), body_(list_name) {}

// Reads one order more than the page contains, to know whether there is a next page.
std::optional<response> order_page::read_until(std::chrono::steady_clock::time_point end) {
  do {
    auto next = orders_->next();
    if (!next) return storage_failed_response();
    if (*next == nullptr) return finish(false);
    if (body_.orders() == orders_max_) return finish(true);
    body_.add(**next);
    if (body_.bytes() > limits::page_bytes_max && body_.orders() > 1) {
      body_.drop_last();
      return finish(true);
    }
    last_ = std::move(*next);
  } while (std::chrono::steady_clock::now() < end);
  return std::nullopt;
}

response order_page::finish(bool has_next) {
  return json_response(200, body_.finish(has_next ? std::optional(cursor_after_(*last_)) : std::nullopt));
}

}  // namespace ordem::http_edge
