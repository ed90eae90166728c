// What a store tells of failed reads and writes, which may come from any of its threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ordem::testing {

// Outlives the store. Any thread.
class told_errors {
 public:
  // For store_settings::on_error.
  std::function<void(std::string_view)> listener() {
    return [this](std::string_view what) {
      const std::lock_guard lock(mutex_);
      all_.emplace_back(what);
      changed_.notify_all();
    };
  }

  // Those so far, once there is one.
  std::vector<std::string> wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(30), [this] { return !all_.empty(); })) {
      throw std::runtime_error("no error was told");
    }
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

}  // namespace ordem::testing
