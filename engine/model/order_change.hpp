// What one accepted message did to an order, as the log has it.
#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/order.hpp"
#include "engine/model/outcome.hpp"
#include "engine/model/time.hpp"

namespace ordem {

struct order_change {
  ordem::position position;
  guid message;
  verdict what = verdict::order_created;  // an accepted one
  timestamp at;                           // when it was decided
  shared_order order;                     // the version that it made, with its tenant and its actor; never null
};

}  // namespace ordem
