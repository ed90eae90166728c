// Counts durations in buckets, for a metric of Prometheus. Belongs to a struct of counters; any thread adds to it and
// reads it, without a lock.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

namespace ordem {

// bucket_bounds_us: the upper bounds of the buckets in microseconds, each inclusive, in ascending order. One more
// bucket counts what is above the last.
template <const auto& bucket_bounds_us>
class duration_histogram {
 public:
  static constexpr const auto& bounds_us = bucket_bounds_us;
  static constexpr std::size_t buckets = std::tuple_size_v<std::remove_cvref_t<decltype(bucket_bounds_us)>> + 1;

  // Thread-safe.
  void add(std::chrono::steady_clock::duration took) noexcept {
    const auto us = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    const auto bucket = std::lower_bound(bounds_us.begin(), bounds_us.end(), us) - bounds_us.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_us_.fetch_add(us, std::memory_order_relaxed);
  }

  // Returns how many durations the bucket holds by itself. REQUIRES: bucket < buckets. Thread-safe.
  std::uint64_t count(std::size_t bucket) const noexcept { return counts_[bucket].load(std::memory_order_relaxed); }
  // Returns the sum of all durations in microseconds. Thread-safe.
  std::uint64_t sum_us() const noexcept { return sum_us_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<std::uint64_t>, buckets> counts_{};
  std::atomic<std::uint64_t> sum_us_{0};
};

}  // namespace ordem
