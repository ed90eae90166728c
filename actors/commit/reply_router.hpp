// The one way back to clients: counts what is in flight and hands each queue its answers, in one call a batch.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

#include "engine/ports/engine_port.hpp"

namespace ordem::actors {

class reply_router {
 public:
  explicit reply_router(std::size_t in_flight_max) : in_flight_max_(in_flight_max) {}

  // Before the first submission only; `queue` must outlive the router. Returns the queue's number.
  std::uint32_t add_queue(completion_queue& queue);

  // Takes places for that many messages, all or none. Any thread.
  bool enter(std::size_t messages) noexcept;
  // Answers messages that have a place, each exactly once, and gives the places back. Any thread.
  void answer(std::vector<reply>&& replies);
  // Answers messages that never got a place. Any thread.
  void reject(std::vector<reply>&& replies);

  std::size_t in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }
  // Waits until nothing is in flight; false if that takes longer than `timeout`.
  bool wait_until_idle(std::chrono::milliseconds timeout);

 private:
  const std::size_t in_flight_max_;
  std::vector<completion_queue*> queues_;
  std::atomic<std::size_t> in_flight_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
};

}  // namespace ordem::actors
