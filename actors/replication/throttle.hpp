// Decides how long the replicator pauses after a batch. Its work, and that of a Postgres on the same machine, may take
// CPU from the threads that serve clients; the log can keep entries until the load drops. Whether it does is measured:
// entries then arrive at a higher rate during pauses than during batches.
#pragma once

#include <chrono>
#include <cstdint>

namespace ordem::actors {

// A plain class, owned by the replicator.
class throttle {
 public:
  using duration = std::chrono::nanoseconds;

  // A length of time, and how many entries became durable in it.
  struct period {
    duration took{};
    std::uint64_t arrived = 0;

    double rate() const noexcept { return static_cast<double>(arrived) / std::chrono::duration<double>(took).count(); }
  };

  // Returns how long to pause after `batch`, which came after `pause`: six times as long as the batch took, at most 2
  // s, if writing slows the clients down; half as long after four batches without a pause, to measure whether it does;
  // else zero. Returns zero if `no_room`: the backlog is near its bound.
  duration delay_after(const period& pause, const period& batch, bool no_room) noexcept;

 private:
  bool slows_clients_ = false;
  int batches_since_pause_ = 0;
};

}  // namespace ordem::actors
