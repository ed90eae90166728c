// Counts of what the engine has done, for metrics. Owned by the gateway, or by what makes one gateway after another;
// updated by the actors once per batch. Nothing is decided by them. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/base/duration_histogram.hpp"
#include "engine/model/capture.hpp"
#include "engine/model/outcome.hpp"

namespace ordem::actors {

// The buckets of the metric ordem_commit_seconds.
inline constexpr std::array<std::uint64_t, 10> commit_us_bounds = {100,   250,    500,    1'000,   2'500,
                                                                   5'000, 10'000, 50'000, 250'000, 1'000'000};

struct counters {
  using counter = std::atomic<std::uint64_t>;

  std::array<counter, 7> outcomes{};                 // by verdict number
  std::array<counter, capture_verdicts> captures{};  // by verdict number
  counter refusals{0};
  counter replays{0};
  counter joins{0};
  counter commits{0};  // syncs of the log
  duration_histogram<commit_us_bounds> commit_time;
  counter write_failures{0};    // after which writes were refused
  counter write_recoveries{0};  // after which they were taken again
  std::atomic<std::int64_t> live_orders{0};
  counter persisted_batches{0};
  counter persist_failures{0};
};

inline void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) noexcept {
  counter.fetch_add(amount, std::memory_order_relaxed);
}

template <std::size_t count>
void add(std::array<std::atomic<std::uint64_t>, count>& counters,
         const std::array<std::uint64_t, count>& amounts) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    if (amounts[i] != 0) add(counters[i], amounts[i]);
  }
}

}  // namespace ordem::actors
