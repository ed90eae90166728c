// The greatest value of an atomic that several threads raise.
#pragma once

#include <atomic>

namespace ordem {

// Sets `which` to `value` if that is greater. Thread-safe.
template <class Value>
void raise_to(std::atomic<Value>& which, Value value) noexcept {
  Value before = which.load();
  while (before < value && !which.compare_exchange_weak(before, value)) {
  }
}

}  // namespace ordem
