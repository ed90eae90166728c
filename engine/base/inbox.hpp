// A mailbox between threads: any number of threads push, one consumer takes all there is. The consumer is woken only
// when the first value arrives, so a busy consumer gets many values for one wake-up.
#pragma once

#include <cstddef>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace ordem {

// Thread-safe. Unbounded; callers bound the number of values in flight.
template <class Value>
class inbox {
 public:
  // Appends the values in order and contiguously. Returns true if the inbox was empty before and is not empty now; the
  // caller must then wake the consumer.
  [[nodiscard]] bool push(std::vector<Value>&& values) {
    const std::lock_guard lock(mutex_);
    const bool was_empty = values_.empty();
    if (was_empty && values_.capacity() < values.size()) {
      values_ = std::move(values);
    } else {
      values_.insert(values_.end(), std::move_iterator(values.begin()), std::move_iterator(values.end()));
    }
    return was_empty && !values_.empty();
  }
  [[nodiscard]] bool push(Value&& value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    return values_.size() == 1;
  }

  // Moves all values, in order of arrival, into `values`. Discards the previous content of `values` and reuses its
  // memory for later arrivals.
  void take(std::vector<Value>& values) {
    values.clear();
    const std::lock_guard lock(mutex_);
    values_.swap(values);
  }

 private:
  std::mutex mutex_;
  std::vector<Value> values_;
};

}  // namespace ordem
