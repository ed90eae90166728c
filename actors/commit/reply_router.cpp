#include "actors/commit/reply_router.hpp"

#include <utility>

#include "engine/base/check.hpp"

namespace ordem::actors {

std::uint32_t reply_router::add_queue(completion_queue& queue) {
  queues_.push_back(&queue);
  return static_cast<std::uint32_t>(queues_.size() - 1);
}

bool reply_router::enter(std::size_t messages) noexcept {
  // Sequentially consistent, like the gateway's check of `closed` that follows: either that check sees the drain, or
  // the drain sees these messages.
  const std::size_t before = in_flight_.fetch_add(messages);
  if (before + messages <= in_flight_max_) return true;
  in_flight_.fetch_sub(messages);
  return false;
}

void reply_router::answer(std::vector<reply>&& replies) {
  const std::size_t count = replies.size();
  // The places are free before a client can send its next message. Until the replies are delivered, deliveries_ keeps
  // the router from being idle.
  deliveries_.fetch_add(1);
  const std::size_t before = in_flight_.fetch_sub(count);
  ORDEM_CHECK(before >= count);
  reject(std::move(replies));
  if (deliveries_.fetch_sub(1) == 1 && in_flight_.load() == 0) {
    const std::lock_guard lock(mutex_);  // else a waiter could miss it between its check and its wait
    idle_.notify_all();
  }
}

void reply_router::reject(std::vector<reply>&& replies) {
  std::vector<std::vector<reply>> by_queue(queues_.size());
  for (reply& each : replies) by_queue[each.token.queue].push_back(std::move(each));
  for (std::size_t i = 0; i < by_queue.size(); ++i) {
    if (!by_queue[i].empty()) queues_[i]->deliver(std::move(by_queue[i]));
  }
}

bool reply_router::wait_until_idle(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, timeout, [this] { return in_flight_.load() == 0 && deliveries_.load() == 0; });
}

}  // namespace ordem::actors
