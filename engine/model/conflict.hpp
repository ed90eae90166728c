// A write that was rejected because the order had changed since the version that it expected.
#pragma once

#include "engine/model/message.hpp"
#include "engine/model/order.hpp"

namespace ordem {

// The versions that it is about. Both are null if either is not in the store: there is no version after the current
// one.
struct conflict {
  shared_order expected;
  shared_order current;  // when it was rejected
  // What the write asked for, if it was to be merged. Else null.
  const ordem::command* unmerged = nullptr;
};

}  // namespace ordem
