// Who wrote an order's version, a message or a capture.
#pragma once

#include <string>

namespace ordem {

// Both are empty for what was written without an identity.
struct origin {
  std::string tenant;
  std::string actor;  // the name of the identity
  friend bool operator==(const origin&, const origin&) = default;
};

}  // namespace ordem
