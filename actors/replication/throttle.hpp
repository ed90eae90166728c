// How the replicator gives way to the threads that answer. Where its work, and that of a Postgres on the same machine,
// costs answers, the log can hold entries until later. Whether it does is measured: entries then arrive more quickly in
// its pauses than while it writes.
#pragma once

#include <chrono>
#include <cstdint>

namespace ordem::actors {

// A plain class, owned by the replicator.
class throttle {
 public:
  using duration = std::chrono::nanoseconds;

  // Some time, and how many entries became durable in it.
  struct period {
    duration took{};
    std::uint64_t arrived = 0;

    double rate() const noexcept { return static_cast<double>(arrived) / std::chrono::duration<double>(took).count(); }
  };

  // A batch was written, after a pause. Returns how long to rest after it: six times as long as it took, at most
  // 2 s, if writing costs answers; half as long now and then, to see whether it does; else not at all, nor once the
  // backlog has `no_room`.
  duration delay_after(const period& pause, const period& batch, bool no_room) noexcept;

 private:
  bool costs_answers_ = false;
  int batches_since_pause_ = 0;
};

}  // namespace ordem::actors
