#include "http-edge/protocol/listener.hpp"

#include "engine/base/check.hpp"

namespace ordem::http_edge {

namespace http = boost::beast::http;

std::string_view to_string(listener_kind what) noexcept {
  switch (what) {
    case listener_kind::main: return "main";
    case listener_kind::operations: return "operations";
    case listener_kind::captures: return "captures";
  }
  ORDEM_CHECK(false && "a listener outside its enumeration");
  return {};
}

bool is_console_call(resource what, http::verb method) noexcept {
  switch (what) {
    case resource::orders:
    case resource::order:
    case resource::order_versions:
    case resource::order_version:
    case resource::message:
    case resource::changes: return method == http::verb::get || method == http::verb::head;
    case resource::capture:
      return method == http::verb::get || method == http::verb::head || method == http::verb::delete_;
    case resource::order_status:
    case resource::order_batch:
    case resource::batch:
    case resource::captures:
    case resource::ping:
    case resource::ready:
    case resource::ready_reads:
    case resource::live:
    case resource::position:
    case resource::backup:
    case resource::state:
    case resource::settings:
    case resource::metrics:
    case resource::openapi:
    case resource::openapi_json:
    case resource::problems:
    case resource::problem:
    case resource::console:
    case resource::console_file:
    case resource::unknown: return false;
  }
  ORDEM_CHECK(false && "a resource outside its enumeration");
  return false;
}

bool serves(listener_kind listener, listener_setup setup, resource what, http::verb method) noexcept {
  if (listener == listener_kind::operations && setup.operations_reads_data && is_console_call(what, method))
    return true;
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
    case resource::state:
    case resource::settings:
      if (listener == listener_kind::operations) return setup.operations_reads_data;
      [[fallthrough]];
    case resource::position:
    case resource::backup:
    case resource::metrics:
    case resource::console:
    case resource::console_file:
      return listener == listener_kind::operations || (listener == listener_kind::main && !setup.has_operations);
    case resource::openapi:
    case resource::openapi_json:
    case resource::problems:
    case resource::problem: return listener != listener_kind::captures;
    case resource::unknown: return false;
  }
  ORDEM_CHECK(false && "a resource outside its enumeration");
  return false;
}

}  // namespace ordem::http_edge
