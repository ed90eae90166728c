// Which of the server's resources a request's target names.
#pragma once

#include <boost/beast/http/verb.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ordem::http_edge {

enum class resource : std::uint8_t {
  orders,
  order,
  order_status,
  order_batch,
  order_versions,
  order_version,
  message,
  captures,
  capture,
  ping,
  ready,
  ready_reads,
  live,
  position,
  metrics,
  openapi,
  problems,
  problem,
  unknown,
};

struct route {
  http_edge::resource resource = resource::unknown;
  // The variable parts of the path, percent-decoded: the order id, GUID, key or slug, and the version.
  std::string name;
  std::string version;
  // Decoded query parameters, in order.
  std::vector<std::pair<std::string, std::string>> query;

  std::optional<std::string_view> query_value(std::string_view key) const;
};

// Returns nullopt if the target is no valid origin-form or absolute-form (RFC 9112, section 3.2). Characters that a
// client should have percent-encoded are taken as data; a slash at the end of the path makes no difference.
std::optional<route> find_route(std::string_view target);

// Returns resource::unknown for nullopt.
inline resource resource_of(const std::optional<route>& to) noexcept {
  return to ? to->resource : resource::unknown;
}

// The value of the header Allow for a resource.
std::string_view allowed_methods(resource what) noexcept;
bool allows(resource what, boost::beast::http::verb method) noexcept;

// What is wrong with the query of a call that the resource allows, for people: it has a parameter that the call does
// not know, one that is given twice, or a value that is no UTF-8. Returns nullopt if the query is fine as far as that
// goes; whether a value is in range is for the call to check.
std::optional<std::string> query_error(const route& to, boost::beast::http::verb method);

// Whether it belongs to captures, whose errors have a form of their own.
bool is_of_captures(resource what) noexcept;

// Whether this call changes orders, so that its answer speaks of idempotency.
bool is_write(resource what, boost::beast::http::verb method) noexcept;

}  // namespace ordem::http_edge
