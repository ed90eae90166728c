// What a message asks for, in one form for all ways to say it, and the fingerprint of that form. Pure functions, any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/model/message.hpp"

namespace ordem::codec {

// Fingerprints are made of its parts, and GET /api/v1/messages/{guid} shows them.
struct canonical_request {
  std::string_view method;
  std::string path;
  std::string body;  // compact JSON, members in a fixed order
};

// The path of orders, and of one order.
inline constexpr std::string_view orders_path = "/api/v1/orders";
std::string order_path(const order_id& id);

canonical_request canonical(const command& what, const std::optional<order_id>& target,
                            const std::optional<ordem::expected_version>& expected_version);

// XXH3-128 of "method path\nbody". Kept on disk: never to change.
fingerprint fingerprint_of(const canonical_request& what);

}  // namespace ordem::codec
