// The number of open connections, which a drain waits to reach zero. Owned by the server. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

namespace ordem::http_edge {

class connection_count {
 public:
  std::size_t now() const noexcept { return open_.load(std::memory_order_relaxed); }

  // Blocks until no connection is open. Returns false if that takes longer than `timeout`.
  bool wait_for_none(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, timeout, [this] { return open_.load(std::memory_order_acquire) == 0; });
  }

 private:
  friend class connection_permit;

  void enter() noexcept { open_.fetch_add(1, std::memory_order_relaxed); }
  void leave() noexcept {
    if (open_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::lock_guard lock(mutex_);  // so that a waiter cannot miss the notification between its check and its wait
    none_.notify_all();
  }

  std::atomic<std::size_t> open_{0};
  std::mutex mutex_;
  std::condition_variable none_;
};

// Counts one connection as open while it exists.
class connection_permit {
 public:
  explicit connection_permit(connection_count& count) noexcept : count_(&count) { count.enter(); }
  connection_permit(connection_permit&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  connection_permit(const connection_permit&) = delete;
  connection_permit& operator=(const connection_permit&) = delete;
  connection_permit& operator=(connection_permit&&) = delete;
  ~connection_permit() {
    if (count_ != nullptr) count_->leave();
  }

 private:
  connection_count* count_;
};

}  // namespace ordem::http_edge
