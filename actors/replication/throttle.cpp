#include "actors/replication/throttle.hpp"

#include <algorithm>

namespace ordem::actors {
namespace {

// Entries per second. Below this rate the replicator and the writers do not compete for CPU.
constexpr double rate_min = 1000;
// Shorter times are not measured: groups arrive every millisecond or so, which makes their rates inexact.
constexpr throttle::duration time_min = std::chrono::milliseconds(20);
// Ratio of the rate during a pause to that during a batch, from which on writing counts as slowing clients down, and
// below which it no longer does. Measured on two cores: 1.5 to 1.9 at the peak of creates, 1.0 to 1.15 at half of it.
constexpr double slow_ratio_begin = 1.35;
constexpr double slow_ratio_end = 1.2;
constexpr int batches_without_pause_max = 4;
constexpr int delay_factor = 6;
// Bounds the delay after a batch that was slow for another reason, such as the first one after a start of Postgres.
constexpr throttle::duration delay_max = std::chrono::seconds(2);

}  // namespace

throttle::duration throttle::delay_after(const period& pause, const period& batch, bool no_room) noexcept {
  ++batches_since_pause_;
  if (pause.took >= time_min && batch.took >= time_min) {
    batches_since_pause_ = 0;
    const double ratio = slows_clients_ ? slow_ratio_end : slow_ratio_begin;
    slows_clients_ = pause.rate() > rate_min && pause.rate() > batch.rate() * ratio;
  }
  if (no_room) return {};
  if (slows_clients_) return std::min(batch.took * delay_factor, delay_max);
  const bool is_measurable = batch.took >= time_min && batch.rate() > rate_min;
  const bool is_measurement_due = batches_since_pause_ >= batches_without_pause_max;
  return is_measurable && is_measurement_due ? std::max(batch.took / 2, time_min) : duration{};
}

}  // namespace ordem::actors
