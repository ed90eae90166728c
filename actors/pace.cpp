#include "actors/pace.hpp"

#include <fstream>

namespace ordem::actors {

std::chrono::nanoseconds rest_after(const batch_report& batch, std::uint64_t backlog_bytes_max) noexcept {
  constexpr int busy_share = 10;  // a tenth of the time without a core
  constexpr int rests = 2;
  const bool machine_is_busy = batch.waited_for_core > batch.took / busy_share;
  const bool falls_behind = batch.arrived > batch.written + batch.written / 2;
  const bool has_room = batch.backlog_bytes < backlog_bytes_max / 2;
  return machine_is_busy && falls_behind && has_room ? batch.took * rests : std::chrono::nanoseconds(0);
}

std::chrono::nanoseconds waited_for_core() {
  std::ifstream file("/proc/thread-self/schedstat");
  std::int64_t ran_ns = 0;
  std::int64_t waited_ns = 0;
  if (!(file >> ran_ns >> waited_ns)) return {};
  return std::chrono::nanoseconds(waited_ns);
}

}  // namespace ordem::actors
