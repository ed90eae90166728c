#include "engine/model/order.hpp"

#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/text.hpp"

namespace ordem {
namespace {

constexpr std::pair<order_status, std::string_view> status_names[] = {
    {order_status::fresh, "new"},           {order_status::confirmed, "confirmed"}, {order_status::shipped, "shipped"},
    {order_status::delivered, "delivered"}, {order_status::cancelled, "cancelled"},
};

}  // namespace

std::string_view to_string(order_status status) noexcept {
  for (const auto& [value, name] : status_names) {
    if (value == status) return name;
  }
  ORDEM_CHECK(false && "an order status outside its enumeration");
  return {};
}

std::optional<order_status> parse_order_status(std::string_view text) noexcept {
  for (const auto& [value, name] : status_names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

bool may_become(order_status from, order_status to) noexcept {
  switch (from) {
    case order_status::fresh: return to == order_status::confirmed || to == order_status::cancelled;
    case order_status::confirmed: return to == order_status::shipped || to == order_status::cancelled;
    case order_status::shipped: return to == order_status::delivered;
    case order_status::delivered:
    case order_status::cancelled: return false;
  }
  return false;
}

bool is_open(order_status status) noexcept {
  return status == order_status::fresh || status == order_status::confirmed;
}

std::optional<money> total_of(const std::vector<order_item>& items) noexcept {
  std::optional<money> total{money{}};
  for (const order_item& item : items) {
    const auto line = item.unit_price.times(item.quantity);
    if (!line) return std::nullopt;
    total = total->plus(*line);
    if (!total) return std::nullopt;
  }
  return total;
}

}  // namespace ordem
