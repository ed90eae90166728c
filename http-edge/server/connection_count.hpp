// The number of open connections, which a drain waits to reach zero. Owned by the server. Thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

namespace ordem::http_edge {

class connection_count {
 public:
  std::size_t now() const noexcept { return open_.load(std::memory_order_relaxed); }
  // Of these, the ones that are only told that they are over a limit, and the others.
  std::size_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }
  std::size_t served() const noexcept {
    const std::size_t open = now();
    return open - std::min(open, refused());  // either may change between the two reads
  }

  // Blocks until no connection is open. Returns false if that takes longer than `timeout`.
  bool wait_for_none(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, timeout, [this] { return open_.load(std::memory_order_acquire) == 0; });
  }

 private:
  friend class connection_permit;

  void enter(bool refused) noexcept {
    open_.fetch_add(1, std::memory_order_relaxed);
    if (refused) refused_.fetch_add(1, std::memory_order_relaxed);
  }
  void leave(bool refused) noexcept {
    if (refused) refused_.fetch_sub(1, std::memory_order_relaxed);
    if (open_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::lock_guard lock(mutex_);  // so that a waiter cannot miss the notification between its check and its wait
    none_.notify_all();
  }

  std::atomic<std::size_t> open_{0};
  std::atomic<std::size_t> refused_{0};
  std::mutex mutex_;
  std::condition_variable none_;
};

// Counts one connection as open while it exists.
class connection_permit {
 public:
  enum class purpose : std::uint8_t { to_serve, to_refuse };

  connection_permit(connection_count& count, purpose what) noexcept
      : count_(&count), refused_(what == purpose::to_refuse) {
    count.enter(refused_);
  }
  connection_permit(connection_permit&& other) noexcept
      : count_(std::exchange(other.count_, nullptr)), refused_(other.refused_) {}
  connection_permit(const connection_permit&) = delete;
  connection_permit& operator=(const connection_permit&) = delete;
  connection_permit& operator=(connection_permit&&) = delete;
  ~connection_permit() {
    if (count_ != nullptr) count_->leave(refused_);
  }

 private:
  connection_count* count_;
  bool refused_;
};

}  // namespace ordem::http_edge
