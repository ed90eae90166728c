// An object that one thread replaces while others use it: a connection that is made anew, say.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace ordem::cluster {

// Thread-safe, but for replace(): one thread at a time.
template <class Value>
class replaceable {
 public:
  // Calls `what` with the present value, which stays until it returns; calls may overlap, and be nested. Returns
  // whether there is one.
  template <class Use>
  bool use(Use what) {
    std::shared_ptr<held_value> held;
    {
      const std::lock_guard lock(mutex_);
      if (present_ == nullptr) return false;
      held = present_;
      ++held->users;
    }
    what(*held->value);
    const std::lock_guard lock(mutex_);
    if (--held->users == 0) unused_.notify_all();
    return true;
  }

  // Blocks until no call uses the value of before, and destroys it. `next` may be null. Must not run in use().
  void replace(std::unique_ptr<Value> next) {
    std::shared_ptr<held_value> before;
    {
      std::unique_lock lock(mutex_);
      before = std::exchange(present_, next ? std::make_shared<held_value>(std::move(next)) : nullptr);
      if (before) unused_.wait(lock, [&] { return before->users == 0; });
    }
    if (before) before->value.reset();
  }

 private:
  struct held_value {
    explicit held_value(std::unique_ptr<Value> given) : value(std::move(given)) {}
    std::unique_ptr<Value> value;
    std::size_t users = 0;
  };

  std::mutex mutex_;
  std::condition_variable unused_;
  std::shared_ptr<held_value> present_;
};

}  // namespace ordem::cluster
