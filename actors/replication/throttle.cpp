#include "actors/replication/throttle.hpp"

#include <algorithm>

namespace ordem::actors {
namespace {

// Below it nobody is in the way of anybody.
constexpr double rate_min = 1000;
// Shorter times tell little: groups of entries come every millisecond or so.
constexpr throttle::duration time_min = std::chrono::milliseconds(20);
// How much more quickly entries must arrive in a pause for writing to cost answers, and to go on doing so. Measured on
// two cores: 1.5 to 1.9 at the peak of creates, 1.0 to 1.15 at half of it.
constexpr double cost_begins = 1.35;
constexpr double cost_ends = 1.2;
constexpr int batches_without_pause_max = 4;
constexpr int rests = 6;
// A batch that was slow for another reason, such as the first one after a start of Postgres, must not hold up the next
// one.
constexpr throttle::duration rest_max = std::chrono::seconds(2);

}  // namespace

throttle::duration throttle::delay_after(const period& pause, const period& batch, bool no_room) noexcept {
  ++batches_since_pause_;
  if (pause.took >= time_min && batch.took >= time_min) {
    batches_since_pause_ = 0;
    const double factor = costs_answers_ ? cost_ends : cost_begins;
    costs_answers_ = pause.rate() > rate_min && pause.rate() > batch.rate() * factor;
  }
  if (no_room) return {};
  if (costs_answers_) return std::min(batch.took * rests, rest_max);
  const bool would_tell = batch.took >= time_min && batch.rate() > rate_min;
  const bool is_time_to_look = batches_since_pause_ >= batches_without_pause_max;
  return would_tell && is_time_to_look ? std::max(batch.took / 2, time_min) : duration{};
}

}  // namespace ordem::actors
