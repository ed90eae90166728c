#include "http-edge/protocol/handler_context.hpp"

namespace ordem::http_edge {

std::optional<position> visible_position(const handler_context& context) {
  if (context.status->now() == service_state::recovering) return std::nullopt;
  return context.orders->visible();
}

}  // namespace ordem::http_edge
