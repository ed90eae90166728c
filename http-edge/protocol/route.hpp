// Finds the resource that the target of a request names. Pure functions; thread-safe.
#pragma once

#include <boost/beast/http/verb.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>  // verb.hpp uses it
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
  batch,
  order_versions,
  order_version,
  message,
  changes,
  captures,
  capture,
  ping,
  ready,
  ready_reads,
  live,
  position,
  backup,
  state,
  settings,
  metrics,
  openapi,
  openapi_json,
  problems,
  problem,
  console,
  console_file,
  unknown,
};

// The number of resources, with `unknown`.
inline constexpr std::size_t resource_count = static_cast<std::size_t>(resource::unknown) + 1;

struct route {
  http_edge::resource resource = resource::unknown;
  // The variable parts of the path, percent-decoded: the order id, GUID, key, slug or file, and the version.
  std::string name;
  std::string version;
  // The decoded query parameters, in order.
  std::vector<std::pair<std::string, std::string>> query;

  // Returns the first value of the parameter, or nullopt if there is none.
  std::optional<std::string_view> query_value(std::string_view key) const;
};

// Parses a target. Returns nullopt if it is not a valid origin-form or absolute-form (RFC 9112, section 3.2).
// Characters that should have been percent-encoded are accepted as data; a slash at the end of the path is ignored.
std::optional<route> find_route(std::string_view target);

// Returns resource::unknown for nullopt.
inline resource resource_of(const std::optional<route>& to) noexcept {
  return to ? to->resource : resource::unknown;
}

// Returns the path of the resource with names for its variable parts, as in the OpenAPI document: the name of the route
// in metrics, logs and traces. "unknown" for resource::unknown.
std::string_view path_template(resource what) noexcept;

// Returns the value of the header Allow for a resource.
std::string_view allowed_methods(resource what) noexcept;
bool allows(resource what, boost::beast::http::verb method) noexcept;

// Returns a message if the query of an allowed call has an unknown or repeated parameter, or a value that is not UTF-8,
// else nullopt. The call itself checks the values.
std::optional<std::string> query_error(const route& to, boost::beast::http::verb method);

// Returns whether the resource belongs to captures, whose errors have a different form.
bool is_of_captures(resource what) noexcept;

// Returns whether the resource is of operations: what is under /-/, metrics, the OpenAPI document, problem
// pages and the console.
bool is_of_operations(resource what) noexcept;

// Returns whether a POST to the resource is a batch, whose lines are taken from its body as they arrive.
bool is_of_batches(resource what) noexcept;

// Returns whether the engine executes this call, so that it can be refused under overload: a write of orders, or a call
// of captures that is no read.
bool is_executed(resource what, boost::beast::http::verb method) noexcept;

// Returns whether this call reads orders, messages, captures or changes: what a read gate is for.
bool is_data_read(resource what, boost::beast::http::verb method) noexcept;

// Returns whether this call changes orders, so that its response has the headers of a write.
bool is_write(resource what, boost::beast::http::verb method) noexcept;

}  // namespace ordem::http_edge
