#include "http-edge/server/admission_control.hpp"

#include <algorithm>
#include <utility>

namespace ordem::http_edge {
namespace {

constexpr int entry_by_base = 8;
constexpr int target_by_base = 4;
// The weights of one measurement in base_delay. It falls quickly and rises slowly, because load makes it longer.
constexpr int base_weight_down = 16;
constexpr int base_weight_up = 4096;
// A loop delay by which the queue is in front of the thread and not behind it, in targets.
constexpr int late_by_target = 2;

double in_seconds(admission_control::duration time) noexcept {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

admission_control::admission_control(const admission_settings& settings, time_point now) noexcept
    : settings_(settings), began_(now), refilled_(now), budget_(settings.refusal_time_max), peak_began_(now) {}

admission_control::duration admission_control::entry_delay() const noexcept {
  return std::max(settings_.entry_delay, entry_by_base * base_);
}

admission_control::duration admission_control::target_delay() const noexcept {
  return std::max(settings_.target_delay, target_by_base * base_);
}

// --- events ---

bool admission_control::on_submitted() noexcept {
  const bool measures_base = in_flight_ < settings_.few_in_flight;
  ++in_flight_;
  peak_ = std::max(peak_, in_flight_);
  return measures_base;
}

void admission_control::on_completed(time_point now, duration engine_time, bool executed, bool measures_base) noexcept {
  note_peak(now);
  --in_flight_;
  ++completed_;
  if (!executed) return;
  ++executed_;
  const duration delay = loop_delay_ + engine_time;
  delay_sum_ += delay;
  if (delay > entry_delay()) ++slow_;
  if (measures_base && base_ == duration::zero()) base_ = engine_time;
  if (measures_base) base_ += (engine_time - base_) / (engine_time < base_ ? base_weight_down : base_weight_up);
}

void admission_control::on_bound(time_point now) noexcept {
  note_peak(now);
  --in_flight_;
  ++refused_;
  enter();
}

void admission_control::on_loop_delay(time_point now, duration delay) noexcept {
  note_peak(now);
  loop_delay_ = delay;
}

void admission_control::on_refused(time_point now, duration cost) noexcept {
  refill(now);
  budget_ -= cost;
  ++refused_;
}

void admission_control::advance(time_point now, std::size_t connections, std::size_t held_back) noexcept {
  const duration length = now - began_;
  if (length < settings_.interval) return;
  rates_[next_rate_++ % rates_.size()] = static_cast<double>(completed_) / in_seconds(length);
  if (executed_ > 0) delay_ = delay_sum_ / static_cast<duration::rep>(executed_);
  // The sum of the delays in a time, divided by that time, is the average number under way. Two intervals, because the
  // messages of a stall complete together.
  const double waited = in_seconds(delay_sum_ + last_delay_sum_) / in_seconds(length + last_length_);
  const bool is_slow = 2 * slow_ > executed_ && connections > settings_.waiting_max &&
                       waited > static_cast<double>(settings_.waiting_max);
  if (is_slow) enter();
  if (overloaded_) adapt_window();
  const bool refuses = static_cast<double>(refused_) > settings_.quiet_share * static_cast<double>(completed_);
  quiet_ = is_slow || refuses || held_back > 0 ? 0 : quiet_ + 1;
  if (quiet_ >= settings_.quiet_intervals) overloaded_ = false;
  began_ = now;
  completed_ = executed_ = slow_ = refused_ = 0;
  last_delay_sum_ = std::exchange(delay_sum_, duration::zero());
  last_length_ = length;
}

void admission_control::enter() noexcept {
  quiet_ = 0;
  if (std::exchange(overloaded_, true)) return;
  window_ = 0;  // set by adapt_window()
  adapt_window();
}

// By Little's law, rate * target messages are under way if each takes the target. The window counts those in the engine
// only; so it is corrected by how far the measured delay is off the target, down to half the number.
void admission_control::adapt_window() noexcept {
  const double rate = *std::max_element(rates_.begin(), rates_.end());
  const double whole = rate * in_seconds(target_delay());
  double next = whole;
  if (window_ > 0 && executed_ > 0) {
    const double off = in_seconds(target_delay()) / std::max(in_seconds(delay_), 1e-6);
    next = std::min(static_cast<double>(window_) * std::clamp(off, 0.67, 1.5), whole);
    next = std::max(next, whole / 2);
  }
  const std::size_t least = std::max<std::size_t>(1, std::min(settings_.in_flight_min, settings_.waiting_max / 2));
  window_ = std::max(least, static_cast<std::size_t>(next));
}

// --- decisions ---

admission admission_control::decide(time_point now) noexcept {
  if (!overloaded_) return admission::admit;
  const bool is_late = loop_delay_ > late_by_target * target_delay();
  if (!is_late && in_flight_ < window_) return admission::admit;
  return may_refuse(now) ? admission::refuse : admission::wait;
}

void admission_control::refill(time_point now) noexcept {
  const double share = is_busy() ? settings_.refusal_share : settings_.idle_refusal_share;
  const auto earned = std::chrono::duration_cast<duration>(share * (now - refilled_));
  refilled_ = now;
  budget_ = std::min(budget_ + earned, settings_.refusal_time_max);
}

bool admission_control::may_refuse(time_point now) noexcept {
  refill(now);
  return budget_ > duration::zero();
}

void admission_control::note_peak(time_point now) noexcept {
  if (now - peak_began_ < settings_.peak_memory) return;
  peak_before_ = now - peak_began_ < 2 * settings_.peak_memory ? peak_ : in_flight_;
  peak_ = in_flight_;
  peak_began_ = now;
}

std::size_t admission_control::room(time_point now) noexcept {
  note_peak(now);
  const std::size_t taken = std::max({peak_, peak_before_, in_flight_});
  return window_ > taken ? window_ - taken : 0;
}

}  // namespace ordem::http_edge
