// Points in time and where they come from. The engine decides without a clock: time goes in as a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ordem {

using milliseconds = std::chrono::milliseconds;

// UTC, milliseconds since 1970-01-01; orders carry nothing finer.
using timestamp = std::chrono::sys_time<milliseconds>;

// A step forward of the clock that may not be time that passed: no clock that only counts confirms it.
struct clock_step {
  timestamp before;          // the newest time that was given out before it
  milliseconds unconfirmed;  // how far it went beyond the time that was counted
  friend bool operator==(const clock_step&, const clock_step&) = default;
};
using clock_steps = std::vector<clock_step>;  // ascending

// The time as a clock says it, with the steps that it took to get there. What was made before a step ends as much later
// as the step was long.
class clock_reading {
 public:
  // By a clock that took no steps.
  clock_reading(timestamp now) noexcept : now_(now) {}  // NOLINT(google-explicit-constructor)
  // `steps` may be null.
  clock_reading(timestamp now, std::shared_ptr<const clock_steps> steps) noexcept
      : now_(now), steps_(std::move(steps)) {}

  timestamp now() const noexcept { return now_; }
  // Whether what was made at `made`, to last until `end`, has ended.
  bool has_ended(timestamp end, timestamp made) const noexcept {
    return end <= now_ && (steps_ == nullptr || end <= now_ - unconfirmed_since(made));
  }
  // The same clock at an earlier time.
  clock_reading at(timestamp earlier) const noexcept { return {earlier, steps_}; }
  const clock_steps& steps() const noexcept;

 private:
  milliseconds unconfirmed_since(timestamp made) const noexcept;

  timestamp now_;
  std::shared_ptr<const clock_steps> steps_;
};

// What a clock keeps for the next process, so that it goes on from there.
struct clock_state {
  timestamp time;          // the newest that it gave out
  std::string boot;        // the run of the machine that all of `steady` below is counted in; empty: unknown
  milliseconds offset{};   // of the wall clock to the steady clock
  milliseconds lead{};     // of the time to the wall clock
  milliseconds lead_at{};  // by the steady clock
  clock_steps steps;
  friend bool operator==(const clock_state&, const clock_state&) = default;
};

// A source of the current time. Thread-safe.
class time_source {
 public:
  virtual ~time_source() = default;
  // For records.
  virtual timestamp now() const noexcept = 0;
  // For whether something has ended.
  virtual clock_reading read() const noexcept { return now(); }

  // What follows is for the store, which keeps a clock's state with the records that it dates. A clock that needs no
  // state leaves all of it as it is.

  // Goes on after the newest record there is, and from the state that was kept, if there are any. Called once.
  virtual void resume(std::optional<timestamp> newest, const std::optional<clock_state>& kept);
  // Counts the changes of the state that have to be kept. What is dated after a change is kept after it or with it.
  virtual std::uint64_t changes() const noexcept { return 0; }
  virtual clock_state state() const;
};

// RFC 3339 with milliseconds and Z, "2026-11-22T10:15:30.123Z".
// The year must be in 0..9999, as it is in every timestamp that Ordem makes.
std::string to_rfc3339(timestamp at);
void append_rfc3339(std::string& out, timestamp at);

}  // namespace ordem
