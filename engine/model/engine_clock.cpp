#include "engine/model/engine_clock.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ordem {
namespace {

// What the wall clock may be moved without a word: leap seconds, and corrections that no retention is near to.
constexpr milliseconds steps_passed_over = std::chrono::seconds(1);

// How many steps are kept apart.
constexpr std::size_t steps_max = 16;

// The years that a timestamp can be written with, with room for whatever is added to one.
constexpr timestamp wall_min{};
constexpr timestamp wall_max = std::chrono::sys_days(std::chrono::year(9000) / 1 / 1);

// By which nothing has ended.
const std::shared_ptr<const clock_steps> everything_unconfirmed = std::make_shared<const clock_steps>(
    clock_steps{{timestamp::max(), std::chrono::duration_cast<milliseconds>(std::chrono::years(20'000))}});

}  // namespace

engine_clock::engine_clock(clock_sources sources, std::function<void(clock_event, milliseconds)> on_event)
    : sources_(std::move(sources)), on_event_(std::move(on_event)) {}

engine_clock::look engine_clock::look_at_machine() const noexcept {
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
  what.lead = lead_at(look_at_machine().steady);
  return what;
}

// --- at the start ---

void engine_clock::resume(std::optional<timestamp> newest, const std::optional<clock_state>& kept) {
  const std::lock_guard lock(mutex_);
  const look at = look_at_machine();
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
    if (unconfirmed > steps_passed_over) {
      add_step(state_.time, unconfirmed);
      on_event_(clock_event::unconfirmed_at_start, unconfirmed);
    } else if (-unconfirmed > steps_passed_over) {
      on_event_(clock_event::behind_at_start, -unconfirmed);
    }
  }
  advance();
  const look then = look_at_machine();
  if (const milliseconds missing = state_.time - then.wall; missing > lead_at(then.steady)) {
    state_.lead = missing;
    state_.lead_at = then.steady;
  }
}

// --- as time passes ---

milliseconds engine_clock::lead_at(milliseconds steady) const noexcept {
  return std::max(state_.lead - (steady - state_.lead_at) / 2, milliseconds(0));
}

timestamp engine_clock::advance() const noexcept {
  look at = look_at_machine();
  if (!resumed_) return at.wall;
  const auto is_step = [this](const look& seen) {
    return std::chrono::abs(seen.offset() - state_.offset) > steps_passed_over;
  };
  // A second look: this thread may have rested between the two clocks of the first.
  if (is_step(at)) at = look_at_machine();
  if (is_step(at)) consume_step(at.offset() - state_.offset, at);
  state_.time = std::max(state_.time, at.wall + lead_at(at.steady));
  return state_.time;
}

void engine_clock::consume_step(milliseconds step, const look& at) const noexcept {
  const milliseconds lead = lead_at(at.steady);
  if (step > lead + steps_passed_over) add_step(state_.time, step - lead);
  state_.lead = std::max(lead - step, milliseconds(0));
  state_.lead_at = at.steady;
  state_.offset = at.offset();
  ++changes_;
  ++(step > milliseconds(0) ? stats_.steps_forward : stats_.steps_backward);
  on_event_(step > milliseconds(0) ? clock_event::stepped_forward : clock_event::stepped_backward,
            std::chrono::abs(step));
}

// Of too many the smallest becomes part of the one after it: what was made between the two ends later by as much.
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
