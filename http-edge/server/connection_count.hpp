// How many connections are open, and a way to wait until none is. Any thread.
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
  // One open connection, for as long as it lives.
  class place {
   public:
    explicit place(connection_count& count) : count_(&count) { count.open_.fetch_add(1, std::memory_order_relaxed); }
    place(place&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    place& operator=(place&&) = delete;
    ~place() {
      if (count_ != nullptr) count_->leave();
    }

   private:
    connection_count* count_;
  };

  std::size_t now() const noexcept { return open_.load(std::memory_order_relaxed); }

  // False if that takes longer than `timeout`.
  bool wait_for_none(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, timeout, [this] { return open_.load(std::memory_order_acquire) == 0; });
  }

 private:
  void leave() noexcept {
    if (open_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::lock_guard lock(mutex_);  // so that a waiter can't miss it between its check and its wait
    none_.notify_all();
  }

  std::atomic<std::size_t> open_{0};
  std::mutex mutex_;
  std::condition_variable none_;
};

}  // namespace ordem::http_edge
