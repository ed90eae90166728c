// surge_stats: what became of the requests of an open loop before, during and after a surge, by the time they were due.
//
// A value without locks: each load thread fills its own, and they are merged after the run. Times are nanoseconds since
// the measured time began. What is due outside of the measured time is not counted.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/load/arrivals.hpp"
#include "bench/load/latency_histogram.hpp"

namespace ordem::bench {

enum class surge_phase : std::size_t { before, during, after };
inline constexpr std::array<std::string_view, 3> surge_phase_names{"before", "during", "after"};

class surge_stats {
 public:
  static constexpr std::chrono::milliseconds slot_length{250};

  struct phase {
    std::uint64_t due = 0;
    std::uint64_t not_sent = 0;  // no connection was free in time, or at all
    std::uint64_t accepted = 0;  // by the time they were due
    std::uint64_t refused = 0;
    std::uint64_t answered = 0;  // accepted, by the time of the answer: the goodput
    latency_histogram accepted_since_due;
    latency_histogram accepted_since_sent;
    latency_histogram refused_since_sent;
  };
  struct slot {
    std::uint64_t due = 0;
    std::uint64_t not_sent = 0;
    std::uint64_t refused = 0;
    std::uint64_t answered = 0;
    latency_histogram accepted_since_due;
  };

  surge_stats() = default;  // counts nothing
  /// `length` is that of the measured time, `begins` the time since the start of the arrivals at which it begins.
  surge_stats(surge when, std::chrono::nanoseconds begins, std::chrono::nanoseconds length);

  void add_not_sent(std::chrono::nanoseconds due) noexcept;
  void add_accepted(std::chrono::nanoseconds due, std::chrono::nanoseconds sent,
                    std::chrono::nanoseconds answered) noexcept;
  void add_refused(std::chrono::nanoseconds due, std::chrono::nanoseconds sent,
                   std::chrono::nanoseconds answered) noexcept;
  void merge(const surge_stats& other);

  [[nodiscard]] bool empty() const noexcept { return slots_.empty(); }
  [[nodiscard]] const phase& of(surge_phase which) const noexcept { return phases_[static_cast<std::size_t>(which)]; }
  /// How much of the measured time the phase takes.
  [[nodiscard]] std::chrono::nanoseconds length_of(surge_phase which) const noexcept;
  [[nodiscard]] const std::vector<slot>& slots() const noexcept { return slots_; }

 private:
  [[nodiscard]] bool counts(std::chrono::nanoseconds time) const noexcept;
  phase& phase_at(std::chrono::nanoseconds time) noexcept;
  slot& slot_at(std::chrono::nanoseconds time) noexcept;

  std::chrono::nanoseconds from_{};
  std::chrono::nanoseconds until_{};
  std::chrono::nanoseconds length_{};
  std::vector<phase> phases_;
  std::vector<slot> slots_;
};

}  // namespace ordem::bench
