#include "engine/model/engine_clock.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ordem {
namespace {

// Smaller steps of the wall clock are ignored: leap seconds, and corrections far below any retention.
constexpr milliseconds steps_ignored = std::chrono::seconds(1);

// Number of steps that are kept separately.
constexpr std::size_t steps_max = 16;

// The range of years that a timestamp can be formatted with, less a margin for durations added to it.
constexpr timestamp wall_min{};
constexpr timestamp wall_max = std::chrono::sys_days(std::chrono::year(9000) / 1 / 1);

// Nothing has ended by this reading.
const std::shared_ptr<const clock_steps> everything_unconfirmed = std::make_shared<const clock_steps>(
    clock_steps{{timestamp::max(), std::chrono::duration_cast<milliseconds>(std::chrono::years(20'000))}});

}  // namespace

engine_clock::engine_clock(clock_sources sources, std::function<void(clock_event, milliseconds)> on_event)
    : sources_(std::move(sources)), on_event_(std::move(on_event)) {}

engine_clock::machine_time engine_clock::read_machine() const noexcept {
  const timestamp wall = std::clamp(sources_.wall(), wall_min, wall_max);
  return {wall, sources_.steady()};
}

timestamp engine_clock::now() const noexcept {
  const std::lock_guard lock(mutex_);
  return advance();
}

clock_reading engine_clock::read() const noexcept {
  const std::lock_guard lock(mutex_);
  const timestamp now = advance();
  return {now, resumed_ ? steps_ : everything_unconfirmed};
}

std::uint64_t engine_clock::changes() const noexcept {
  const std::lock_guard lock(mutex_);
  return changes_;
}

clock_state engine_clock::state() const {
  const std::lock_guard lock(mutex_);
  clock_state what = state_;
  if (steps_ != nullptr) what.steps = *steps_;
  return what;
}

clock_stats engine_clock::stats() const noexcept {
  const std::lock_guard lock(mutex_);
  advance();
  clock_stats what = stats_;
  what.lead = followed_ ? milliseconds(0) : lead_at(read_machine().steady);
  return what;
}

// --- at the start ---

void engine_clock::resume(std::optional<timestamp> newest, const std::optional<clock_state>& kept) {
  const std::lock_guard lock(mutex_);
  begin(newest, kept);
}

void engine_clock::begin(std::optional<timestamp> newest, const std::optional<clock_state>& kept) {
  const machine_time at = read_machine();
  if (kept) {
    state_ = *kept;
    newest = std::max(newest.value_or(kept->time), kept->time);
    if (!kept->steps.empty()) steps_ = std::make_shared<const clock_steps>(std::exchange(state_.steps, {}));
  }
  state_.time = newest.value_or(at.wall);
  resumed_ = true;
  ++changes_;

  const bool has_counted = kept && !kept->boot.empty() && kept->boot == sources_.boot && kept->lead_at <= at.steady;
  if (!has_counted) {
    state_.boot = sources_.boot;
    state_.offset = at.offset();
    state_.lead = milliseconds(0);
    state_.lead_at = at.steady;
    const milliseconds unconfirmed = at.wall - state_.time;
    if (unconfirmed > steps_ignored) {
      add_step(state_.time, unconfirmed);
      on_event_(clock_event::unconfirmed_at_start, unconfirmed);
    } else if (-unconfirmed > steps_ignored) {
      on_event_(clock_event::behind_at_start, -unconfirmed);
    }
  }
  advance();
  const machine_time then = read_machine();
  if (const milliseconds missing = state_.time - then.wall; missing > lead_at(then.steady)) {
    state_.lead = missing;
    state_.lead_at = then.steady;
  }
}

// --- of a log that another engine writes ---

void engine_clock::follow(timestamp newest, const std::optional<clock_state>& logged) {
  const std::lock_guard lock(mutex_);
  followed_ = {newest, read_machine().steady};
  if (logged) steps_ = logged->steps.empty() ? nullptr : std::make_shared<const clock_steps>(logged->steps);
  resumed_ = true;
}

void engine_clock::stop_following() {
  const std::lock_guard lock(mutex_);
  if (!followed_) {
    if (!resumed_) begin(std::nullopt, std::nullopt);
    return;
  }
  const machine_time at = read_machine();
  state_ = {followed_->at(at.steady), sources_.boot, at.offset(), milliseconds(0), at.steady, {}};
  followed_.reset();
  ++changes_;
  const milliseconds ahead = at.wall - state_.time;
  state_.lead = std::max(-ahead, milliseconds(0));
  if (ahead > steps_ignored) {
    add_step(state_.time, ahead);
    on_event_(clock_event::unconfirmed_at_start, ahead);
  } else if (-ahead > steps_ignored) {
    on_event_(clock_event::behind_at_start, -ahead);
  }
  advance();
}

// --- as time passes ---

milliseconds engine_clock::lead_at(milliseconds steady) const noexcept {
  return std::max(state_.lead - (steady - state_.lead_at) / 2, milliseconds(0));
}

timestamp engine_clock::advance() const noexcept {
  machine_time at = read_machine();
  if (followed_) return followed_->at(at.steady);
  if (!resumed_) return at.wall;
  const auto is_step = [this](const machine_time& seen) {
    return std::chrono::abs(seen.offset() - state_.offset) > steps_ignored;
  };
  // Read again: the thread may have been preempted between the reads of the two clocks.
  if (is_step(at)) at = read_machine();
  if (is_step(at)) adopt_step(at.offset() - state_.offset, at);
  state_.time = std::max(state_.time, at.wall + lead_at(at.steady));
  return state_.time;
}

void engine_clock::adopt_step(milliseconds step, const machine_time& at) const noexcept {
  const milliseconds lead = lead_at(at.steady);
  if (step > lead + steps_ignored) add_step(state_.time, step - lead);
  state_.lead = std::max(lead - step, milliseconds(0));
  state_.lead_at = at.steady;
  state_.offset = at.offset();
  ++changes_;
  ++(step > milliseconds(0) ? stats_.steps_forward : stats_.steps_backward);
  on_event_(step > milliseconds(0) ? clock_event::stepped_forward : clock_event::stepped_backward,
            std::chrono::abs(step));
}

// Beyond steps_max, merges the smallest step into its successor: records made between the two expire later by that
// much.
void engine_clock::add_step(timestamp before, milliseconds unconfirmed) const noexcept {
  clock_steps steps = steps_ != nullptr ? *steps_ : clock_steps{};
  steps.push_back({before, unconfirmed});
  if (steps.size() > steps_max) {
    const auto smallest = std::min_element(steps.begin(), std::prev(steps.end()),
                                           [](const auto& a, const auto& b) { return a.unconfirmed < b.unconfirmed; });
    std::next(smallest)->unconfirmed += smallest->unconfirmed;
    steps.erase(smallest);
  }
  steps_ = std::make_shared<const clock_steps>(std::move(steps));
}

}  // namespace ordem
