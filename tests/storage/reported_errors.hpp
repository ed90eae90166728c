// What a store tells of failed reads and writes, which may come from any of its threads.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace ordem::testing {

// Outlives the store. Any thread.
class reported_errors {
 public:
  // For store_settings::on_error.
  std::function<void(std::string_view)> listener() {
    return [this](std::string_view what) {
      const std::lock_guard lock(mutex_);
      all_.emplace_back(what);
    };
  }

  // Those so far; all of them once the store is gone.
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

}  // namespace ordem::testing
