#include "http-edge/orders/order_turns.hpp"

#include <utility>

namespace ordem::http_edge {

std::optional<order_turns::turn> order_turns::begin(turn&& next) {
  if (!next.what.target) return std::move(next);
  const auto [order, is_first] = waiting_.try_emplace(*next.what.target);
  if (!is_first) {
    order->second.push_back(std::move(next));
    return std::nullopt;
  }
  in_flight_.emplace(next.line, order->first);
  return std::move(next);
}

std::optional<order_turns::turn> order_turns::end(std::uint32_t line) {
  const auto ended = in_flight_.extract(line);
  if (ended.empty()) return std::nullopt;  // a create
  const auto order = waiting_.find(ended.mapped());
  auto& waiting = order->second;
  if (waiting.empty()) {
    waiting_.erase(order);
    return std::nullopt;
  }
  turn next = std::move(waiting.front());
  waiting.pop_front();
  in_flight_.emplace(next.line, order->first);
  return next;
}

}  // namespace ordem::http_edge
