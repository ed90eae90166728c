// What the forwarding port puts between the gateway of its node and the queue of an I/O thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/model/time.hpp"
#include "engine/ports/engine_port.hpp"

namespace ordem::cluster {

// Knows which submissions the gateway has not answered, so that they can be
// answered when that takes too long or the ownership ends. The gateway knows them by numbers of this queue: their own
// are used again as soon as they are answered. Thread-safe.
class local_queue final : public completion_queue {
 public:
  local_queue(completion_queue& to, milliseconds now) : to_(to), now_(now) {}

  // A submission with this number goes to the gateway. Returns the number to give it.
  std::uint32_t expect(std::uint32_t number) {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) {
      free_.reserve(expected_.size() + 1);  // so that deliver() never allocates
      free_.push_back(static_cast<std::uint32_t>(expected_.size()));
      expected_.emplace_back();
    }
    const std::uint32_t given = free_.back();
    free_.pop_back();
    expected_[given] = {number, now_, true};
    return given;
  }

  void deliver(std::vector<reply>&& replies) noexcept override {
    {
      const std::lock_guard lock(mutex_);
      if (has_ended_) return;
      std::erase_if(replies, [this](reply& each) {
        const std::uint32_t given = std::exchange(each.token.number, expected_[each.token.number].number);
        free_.push_back(given);
        return !std::exchange(expected_[given].is_waiting, false);
      });
    }
    if (!replies.empty()) to_.deliver(std::move(replies));
  }

  // Returns the numbers that have waited for `patience`, and drops the replies to them that may still come.
  std::vector<std::uint32_t> give_up(milliseconds now, milliseconds patience) {
    const std::lock_guard lock(mutex_);
    now_ = now;
    return take_waiting([&](const expectation& each) { return now - each.since >= patience; });
  }

  // From now on drops replies. Returns the numbers that have got none.
  std::vector<std::uint32_t> end() {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
    return take_waiting([](const expectation&) { return true; });
  }

 private:
  struct expectation {
    std::uint32_t number = 0;
    milliseconds since{};
    bool is_waiting = false;  // else its number is free, or its reply is to be dropped
  };

  template <class Condition>
  std::vector<std::uint32_t> take_waiting(Condition ends) {
    std::vector<std::uint32_t> taken;
    for (expectation& each : expected_) {
      if (!each.is_waiting || !ends(each)) continue;
      each.is_waiting = false;
      taken.push_back(each.number);
    }
    return taken;
  }

  completion_queue& to_;
  std::mutex mutex_;
  milliseconds now_;
  std::vector<expectation> expected_;  // by the number that the gateway was given
  std::vector<std::uint32_t> free_;    // of these numbers
  bool has_ended_ = false;
};

}  // namespace ordem::cluster
