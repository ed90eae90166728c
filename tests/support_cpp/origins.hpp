// Senders of two tenants, and requests of theirs.
#pragma once

#include <ostream>

#include "engine/model/origin.hpp"

namespace ordem {

// How failing tests show them.
inline std::ostream& operator<<(std::ostream& out, const origin& what) {
  return out << "tenant '" << what.tenant << "', actor '" << what.actor << "'";
}

}  // namespace ordem

namespace ordem::testing {

inline const origin anonymous{};
inline const origin shop_till{"shop", "till-7"};
inline const origin shop_office{"shop", "office"};
inline const origin stall_till{"stall", "till-7"};

template <class Request>
Request sent_by(const origin& who, Request what) {
  what.origin = who;
  return what;
}

}  // namespace ordem::testing
