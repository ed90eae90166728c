// The pauses between attempts: doubled each time, and shortened by up to half at random, so that relays that failed
// together do not come back together. One thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace ordem::app {

class retry_delay {
 public:
  using milliseconds = std::chrono::milliseconds;

  retry_delay(milliseconds first, milliseconds longest, std::uint64_t seed)
      : first_(first), longest_(longest), next_(first), random_(seed) {}

  // Returns the next pause: not below what the other side has asked for.
  milliseconds next(std::optional<milliseconds> asked_for = std::nullopt) {
    const milliseconds most = std::min(next_, longest_);
    next_ = std::min(2 * most, longest_);
    const milliseconds pause(std::uniform_int_distribution(most.count() / 2, most.count())(random_));
    return std::max(pause, asked_for.value_or(milliseconds(0)));
  }
  // An attempt has succeeded.
  void reset() noexcept { next_ = first_; }

 private:
  const milliseconds first_;
  const milliseconds longest_;
  milliseconds next_;
  std::mt19937_64 random_;
};

}  // namespace ordem::app
