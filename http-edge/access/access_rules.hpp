// Which requests need an identity, and the scope that it needs. Pure functions; thread-safe.
#pragma once

#include <boost/beast/http/verb.hpp>
#include <optional>

#include "auth/identity.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

struct required_access {
  bool needs_identity = true;        // false: open to all
  std::optional<auth::scope> scope;  // nullopt: any identity is enough
};

// Returns what a request needs before anything else about it is told, also if the path or the method does not exist.
required_access access_to(resource what, boost::beast::http::verb method) noexcept;

// Returns whether the request needs no identity by the operations listener. A back-up does, since it writes to the
// disk.
bool is_open_to_operations(resource what, boost::beast::http::verb method) noexcept;

// Returns whether the request could change data: a write of orders, a batch or a call of captures, also one with a
// method that the path does not take.
bool may_change_data(resource what, boost::beast::http::verb method) noexcept;

}  // namespace ordem::http_edge
