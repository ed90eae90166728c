// The only way back to clients: counts the messages in flight and delivers replies to their completion queues, one call
// per queue and batch. Owned by the gateway. Thread-safe, apart from add_queue().
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

  // Returns the number of the queue, which must outlive the router.
  // REQUIRES: nothing has been submitted yet.
  std::uint32_t add_queue(completion_queue& queue);

  // Reserves places for that many messages, all or none. Returns whether they fit within the bound.
  bool enter(std::size_t messages) noexcept;
  // Frees the places of the messages and delivers their replies, in this order.
  // REQUIRES: none of them has been answered before.
  void answer(std::vector<reply>&& replies);
  // Delivers the replies to messages that have no place.
  void reject(std::vector<reply>&& replies);

  std::size_t in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }
  // Waits until nothing is in flight and all replies are delivered. Returns false if that takes longer than `timeout`.
  bool wait_until_idle(std::chrono::milliseconds timeout);

 private:
  const std::size_t in_flight_max_;
  std::vector<completion_queue*> queues_;
  std::atomic<std::size_t> in_flight_{0};
  std::atomic<std::size_t> deliveries_{0};  // calls of answer() that are delivering
  std::mutex mutex_;
  std::condition_variable idle_;
};

}  // namespace ordem::actors
