#include "http-edge/protocol/listener.hpp"

#include "engine/base/check.hpp"

namespace ordem::http_edge {

std::string_view to_string(listener_kind what) noexcept {
  switch (what) {
    case listener_kind::main: return "main";
    case listener_kind::operations: return "operations";
    case listener_kind::captures: return "captures";
  }
  CHECK(false && "a listener outside its enumeration");
  return {};
}

bool serves(listener_kind listener, bool has_operations, resource what) noexcept {
  switch (what) {
    case resource::orders:
    case resource::order:
    case resource::order_status:
    case resource::order_batch:
    case resource::batch:
    case resource::order_versions:
    case resource::order_version:
    case resource::changes:
    case resource::message: return listener == listener_kind::main;
    case resource::captures:
    case resource::capture: return listener != listener_kind::operations;
    case resource::ping:
    case resource::ready:
    case resource::ready_reads:
    case resource::live: return true;
    case resource::position:
    case resource::backup:
    case resource::metrics:
      return listener == listener_kind::operations || (listener == listener_kind::main && !has_operations);
    case resource::openapi:
    case resource::problems:
    case resource::problem: return listener != listener_kind::captures;
    case resource::unknown: return false;
  }
  CHECK(false && "a resource outside its enumeration");
  return false;
}

}  // namespace ordem::http_edge
