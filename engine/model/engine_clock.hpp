// The clock of an engine: the time that goes into its records, and by which they expire. Made of two clocks of the
// machine. The wall clock says what time it is, but may be set: by hand, by NTP at boot, after a move to another
// machine. The steady clock only counts what passes, since some moment.
//
//   time of the engine = wall clock + lead
//
// It never goes back. Where the wall clock is set back, or is behind the newest record at the start, the lead is what
// is missing; it shrinks by half of what passes, so that time goes on, at half speed, until the wall clock has caught
// up. Where the wall clock is set forward beyond the lead, the time follows at once, but what the steady clock did not
// count is kept as a clock_step: it makes nothing from before expire.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/time.hpp"

namespace ordem {

struct clock_sources {
  std::function<timestamp()> wall;
  // Counts all time, also while the machine sleeps (CLOCK_BOOTTIME), from a moment that stays the same while `boot`
  // does.
  std::function<milliseconds()> steady;
  // Names what `steady` counts from. Empty: it means nothing to another process.
  std::string boot;
};

enum class clock_event : std::uint8_t {
  stepped_forward,       // by how much
  stepped_backward,      // by how much
  unconfirmed_at_start,  // the time since the newest record by the wall clock, which the steady clock did not count
  behind_at_start,       // how far the wall clock is behind the newest record
};

struct clock_stats {
  std::uint64_t steps_forward = 0;
  std::uint64_t steps_backward = 0;
  milliseconds lead{};
};

class engine_clock final : public time_source {
 public:
  // `on_event` is called on the thread that looked at the clock; it must not look at this one.
  explicit engine_clock(
      clock_sources sources,
      std::function<void(clock_event, milliseconds)> on_event = [](clock_event, milliseconds) {});

  // The wall clock until resume().
  timestamp now() const noexcept override;
  // Until resume() by this reading nothing has ended.
  clock_reading read() const noexcept override;

  void resume(std::optional<timestamp> newest, const std::optional<clock_state>& kept) override;
  std::uint64_t changes() const noexcept override;
  clock_state state() const override;

  clock_stats stats() const noexcept;

 private:
  struct look {
    timestamp wall;
    milliseconds steady;
    milliseconds offset() const noexcept { return wall.time_since_epoch() - steady; }
  };

  look look_at_machine() const noexcept;
  // What is left of the lead.
  milliseconds lead_at(milliseconds steady) const noexcept;
  // REQUIRES of all below: the mutex is held.
  timestamp advance() const noexcept;
  void consume_step(milliseconds step, const look& at) const noexcept;
  void add_step(timestamp before, milliseconds unconfirmed) const noexcept;

  const clock_sources sources_;
  const std::function<void(clock_event, milliseconds)> on_event_;
  mutable std::mutex mutex_;
  mutable bool resumed_ = false;
  mutable clock_state state_;                         // its time is the newest that was given out
  mutable std::shared_ptr<const clock_steps> steps_;  // those of the state; null if there are none
  mutable std::uint64_t changes_ = 0;
  mutable clock_stats stats_;
};

}  // namespace ordem
