// Orders as JSON text. Deterministic: the same order always gives the same bytes, so a repeated GUID gets the original
// response. Pure functions; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/order.hpp"

namespace ordem::codec {

// Appends [{"sku", "quantity", "unit_price"}, ...].
void append_items(std::string& out, const std::vector<order_item>& items);

void append_order(std::string& out, const order& what);

// Returns {"code", "message", "order"}.
std::string order_body(unsigned code, std::string_view message, const order& what);

// Builds the body of a list of orders, one order at a time. Owned by one thread.
class order_list_json {
 public:
  // `name` is the name of the member that contains the orders.
  explicit order_list_json(std::string_view name);

  void add(const order& what);
  // Removes the order that was added last. REQUIRES: the last call was add().
  void drop_last();
  std::size_t orders() const noexcept { return orders_; }
  std::size_t bytes() const noexcept { return text_.size(); }

  // Returns the complete body, with the cursor of the next page if there is one. REQUIRES: this is the last call.
  std::string finish(const std::optional<std::string>& next_cursor);

 private:
  std::string text_;
  std::size_t orders_ = 0;
  std::size_t last_begins_at_ = 0;
};

}  // namespace ordem::codec
