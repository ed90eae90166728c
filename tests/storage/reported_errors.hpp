// Records the errors that a store reports.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace ordem::testing {

// Must outlive the store. Thread-safe.
class reported_errors {
 public:
  // Returns a function for store_settings::on_error.
  std::function<void(std::string_view)> listener() {
    return [this](std::string_view what) {
      const std::lock_guard lock(mutex_);
      all_.emplace_back(what);
    };
  }

  // Returns the errors so far. All of them are there once the store is destroyed.
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

}  // namespace ordem::testing
