// Who wrote an order's version, a message or a capture, and for which tenant.
#pragma once

#include <string>

namespace ordem {

// Both are empty for what was written without an identity. UTF-8 without U+0000, at most limits::tenant_bytes_max and
// limits::actor_bytes_max.
struct origin {
  std::string tenant;
  std::string actor;  // the name of the identity
  friend bool operator==(const origin&, const origin&) = default;
};

}  // namespace ordem
