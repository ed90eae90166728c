#include "http-edge/access/access_rules.hpp"

#include "engine/base/check.hpp"
#include "http-edge/protocol/listener.hpp"

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;

bool is_read(http::verb method) noexcept {
  return method == http::verb::get || method == http::verb::head;
}

}  // namespace

required_access access_to(resource what, http::verb method) noexcept {
  switch (what) {
    case resource::ping:
    case resource::ready:
    case resource::ready_reads:
    case resource::live:
    case resource::openapi:
    case resource::openapi_json:
    case resource::problems:
    case resource::problem:
    case resource::console:
    case resource::console_file: return {false, std::nullopt};
    case resource::orders:
    case resource::order:
    case resource::order_status:
    case resource::order_batch:
    case resource::batch:
    case resource::order_versions:
    case resource::changes:
    case resource::order_version: return {true, is_read(method) ? auth::scope::orders_read : auth::scope::orders_write};
    case resource::message: return {true, auth::scope::messages_read};
    case resource::captures:
    case resource::capture: return {true, auth::scope::captures};
    case resource::position:
    case resource::backup:
    case resource::state:
    case resource::settings:
    case resource::metrics: return {true, auth::scope::operations};
    case resource::unknown: return {true, std::nullopt};
  }
  ORDEM_CHECK(false && "a resource outside its enumeration");
  return {};
}

bool is_open_to_operations(resource what, http::verb method) noexcept {
  if (what == resource::state || what == resource::settings || is_console_call(what, method)) return false;
  return what != resource::backup || is_read(method);
}

bool may_change_data(resource what, http::verb method) noexcept {
  return !is_read(method) && access_to(what, method).needs_identity;
}

}  // namespace ordem::http_edge
