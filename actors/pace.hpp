// How the persister gives way to the threads that answer. Where these take all of the machine, quickly written entries
// would cost answers; the log can hold them until later.
#pragma once

#include <chrono>
#include <cstdint>

namespace ordem::actors {

// What one batch was like.
struct batch_report {
  std::chrono::nanoseconds took{};
  // Of that, how long the thread was ready to run and had no core.
  std::chrono::nanoseconds waited_for_core{};
  std::uint64_t written = 0;  // entries
  std::uint64_t arrived = 0;  // entries that became durable meanwhile
  std::uint64_t backlog_bytes = 0;
};

// How long to rest after it: twice as long as the batch took, if the machine is busy, half as many entries again arrive
// as are written, and the backlog has not reached half of its bound; else not at all. So writers at their peak keep the
// machine, and writers that the persister could keep up with are kept up with. Pure.
std::chrono::nanoseconds rest_after(const batch_report& batch, std::uint64_t backlog_bytes_max) noexcept;

// How long the calling thread has waited for a core since it began; zero where the system does not tell (Linux does:
// Documentation/scheduler/sched-stats.rst, "/proc/<pid>/schedstat").
std::chrono::nanoseconds waited_for_core();

}  // namespace ordem::actors
