// The canonical form of a message, the same for all equivalent requests, and its fingerprint. Pure functions;
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/model/message.hpp"

namespace ordem::codec {

// The input of the fingerprint, and part of the response to GET /api/v1/messages/{guid}.
struct canonical_request {
  std::string_view method;
  std::string path;
  std::string body;  // compact JSON, members in a fixed order
};

// The path of all orders, and of one order.
inline constexpr std::string_view orders_path = "/api/v1/orders";
std::string order_path(const order_id& id);

// `target` and `expected_version` are nullopt for a create.
canonical_request canonical(const command& what, const std::optional<order_id>& target,
                            const std::optional<ordem::expected_version>& expected_version);

// Returns XXH3-128 of "method path\nbody". Stored on disk: do not change.
fingerprint fingerprint_of(const canonical_request& what);

}  // namespace ordem::codec
