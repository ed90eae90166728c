// The engine's clock: it dates records and decides whether they have expired. It combines two clocks of the machine.
// The wall clock gives the time of day, but can be set: by hand, by NTP at boot, by a move to another machine. The
// steady clock counts elapsed time.
//
//   engine time = wall clock + lead
//
// Engine time never goes back. If the wall clock is set back, or is behind the newest record at start, the lead makes
// up the difference; it then shrinks by half of the elapsed time, so engine time runs at half speed until the wall
// clock has caught up. If the wall clock is set forward beyond the lead, engine time follows at once, and the part that
// the steady clock did not count is kept as a clock_step: it does not make older records expire.
//
// While the engine follows a log that another one writes, engine time is that of the last record and what the steady
// clock has counted since it was read; the wall clock plays no part. An engine that begins to write continues there: a
// wall clock that is behind gets a lead, one that is ahead makes a step.
//
// Thread-safe.
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
  // Elapsed time, including suspend (CLOCK_BOOTTIME), since a moment that is fixed for each `boot`.
  std::function<milliseconds()> steady;
  // Identifies the boot that `steady` counts from. Empty if another process can't use the count.
  std::string boot;
};

enum class clock_event : std::uint8_t {
  stepped_forward,       // by how much
  stepped_backward,      // by how much
  unconfirmed_at_start,  // time since the newest record by the wall clock that the steady clock did not count
  behind_at_start,       // how far the wall clock is behind the newest record, and what was counted since
};

struct clock_stats {
  std::uint64_t steps_forward = 0;
  std::uint64_t steps_backward = 0;
  milliseconds lead{};
};

class engine_clock final : public time_source {
 public:
  // Calls `on_event` on the thread that read the clock; `on_event` must not read this clock.
  explicit engine_clock(
      clock_sources sources,
      std::function<void(clock_event, milliseconds)> on_event = [](clock_event, milliseconds) {});

  // The wall clock until resume().
  timestamp now() const noexcept override;
  // Before resume(), nothing has ended by this reading.
  clock_reading read() const noexcept override;

  void resume(std::optional<timestamp> newest, const std::optional<clock_state>& kept) override;
  void follow(timestamp newest, const std::optional<clock_state>& logged) override;
  void stop_following() override;
  std::uint64_t changes() const noexcept override;
  clock_state state() const override;

  clock_stats stats() const noexcept;

 private:
  struct machine_time {
    timestamp wall;
    milliseconds steady;
    milliseconds offset() const noexcept { return wall.time_since_epoch() - steady; }
  };

  struct followed_time {
    timestamp newest;
    milliseconds read_at;  // by the steady clock

    timestamp at(milliseconds steady) const noexcept { return newest + (steady - read_at); }
  };

  machine_time read_machine() const noexcept;
  // Returns the lead at that steady time.
  milliseconds lead_at(milliseconds steady) const noexcept;
  // REQUIRES for the functions below: the mutex is held.
  void begin(std::optional<timestamp> newest, const std::optional<clock_state>& kept);
  timestamp advance() const noexcept;
  void adopt_step(milliseconds step, const machine_time& at) const noexcept;
  void add_step(timestamp before, milliseconds unconfirmed) const noexcept;

  const clock_sources sources_;
  const std::function<void(clock_event, milliseconds)> on_event_;
  mutable std::mutex mutex_;
  mutable bool resumed_ = false;
  std::optional<followed_time> followed_;
  mutable clock_state state_;                         // its time is the newest one returned
  mutable std::shared_ptr<const clock_steps> steps_;  // the steps of the state; null if there are none
  mutable std::uint64_t changes_ = 0;
  mutable clock_stats stats_;
};

}  // namespace ordem
