// Timestamps and clocks. Decisions take the time as a value and never read a clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ordem {

using milliseconds = std::chrono::milliseconds;

// UTC, milliseconds since 1970-01-01, the precision of all times in Ordem.
using timestamp = std::chrono::sys_time<milliseconds>;

// A step forward of the wall clock that the steady clock does not confirm as elapsed time.
struct clock_step {
  timestamp before;          // the newest time returned before the step
  milliseconds unconfirmed;  // the part of the step beyond the elapsed time
  friend bool operator==(const clock_step&, const clock_step&) = default;
};
using clock_steps = std::vector<clock_step>;  // ascending

// A time read from a clock, with the clock's steps. A record made before a step expires later by the length of the
// step.
class clock_reading {
 public:
  // A reading of a clock without steps.
  clock_reading(timestamp now) noexcept : now_(now) {}  // NOLINT(google-explicit-constructor)
  // `steps` may be null.
  clock_reading(timestamp now, std::shared_ptr<const clock_steps> steps) noexcept
      : now_(now), steps_(std::move(steps)) {}

  timestamp now() const noexcept { return now_; }
  // Returns whether a record made at `made` that lasts until `end` has ended.
  bool has_ended(timestamp end, timestamp made) const noexcept {
    return end <= now_ && (steps_ == nullptr || end <= now_ - unconfirmed_since(made));
  }
  // Returns a reading of the same clock at an earlier time.
  clock_reading at(timestamp earlier) const noexcept { return {earlier, steps_}; }
  const clock_steps& steps() const noexcept;

 private:
  milliseconds unconfirmed_since(timestamp made) const noexcept;

  timestamp now_;
  std::shared_ptr<const clock_steps> steps_;
};

// The state that a clock hands to the next process.
struct clock_state {
  timestamp time;          // the newest time returned
  std::string boot;        // see clock_sources::boot; empty if unknown
  milliseconds offset{};   // wall clock minus steady clock
  milliseconds lead{};     // engine time minus wall clock, at lead_at
  milliseconds lead_at{};  // by the steady clock
  clock_steps steps;
  friend bool operator==(const clock_state&, const clock_state&) = default;
};

// A source of the current time. Thread-safe.
class time_source {
 public:
  virtual ~time_source() = default;
  // Returns the time for new records.
  virtual timestamp now() const noexcept = 0;
  // Returns a reading that tells whether a record has expired.
  virtual clock_reading read() const noexcept { return now(); }

  // The functions below are for the store, which keeps the clock's state with the records. A clock without state does
  // not override them.

  // Continues after the newest record and from the stored state, if there are any. Called once.
  virtual void resume(std::optional<timestamp> newest, const std::optional<clock_state>& kept);
  // For a clock of an engine that reads a log which another one writes: the log has come to `newest`. Until
  // stop_following(), the time is that, and what has passed since the call. `logged`: the state of the writer's clock,
  // if the log has a new one.
  virtual void follow(timestamp newest, const std::optional<clock_state>& logged);
  // From now on this engine writes the log: continues behind what was followed. As resume() without a state, if nothing
  // was.
  virtual void stop_following() {}
  // Returns the number of state changes that must be stored. A record dated after a change must be stored with or after
  // it.
  virtual std::uint64_t changes() const noexcept { return 0; }
  virtual clock_state state() const;
};

// RFC 3339 with milliseconds and Z, "2026-11-22T10:15:30.123Z".
// The year must be in 0..9999, as it is in every timestamp that Ordem makes.
std::string to_rfc3339(timestamp at);
void append_rfc3339(std::string& out, timestamp at);

// Parses a time of RFC 3339, with any offset and up to nine digits of a second, of which three count:
// "2026-11-22T10:15:30Z", "2026-11-22T11:15:30.123456+01:00". Returns nullopt for anything else, a leap second and a
// date that does not exist too.
std::optional<timestamp> parse_rfc3339(std::string_view text) noexcept;

}  // namespace ordem
