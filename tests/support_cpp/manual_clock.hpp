// Clocks that stand still until a test moves them. From any thread, as every time source.
#pragma once

#include <atomic>
#include <string>

#include "engine/model/engine_clock.hpp"

namespace ordem::testing {

// 2026-11-22T10:15:30.123Z
inline constexpr timestamp sample_time{milliseconds{1'795'342'530'123}};

class manual_clock final : public time_source {
 public:
  explicit manual_clock(timestamp start = sample_time) : now_(start) {}

  timestamp now() const noexcept override { return now_.load(); }
  void advance(milliseconds by) noexcept { now_.store(now_.load() + by); }

 private:
  std::atomic<timestamp> now_;
};

// A machine with a wall clock, which may be set, and one that counts. Must outlive the clocks that are made of them.
class manual_machine {
 public:
  explicit manual_machine(timestamp start = sample_time) : wall_(start) {}

  clock_sources sources() const {
    return {[this] { return wall_.load(); }, [this] { return steady_.load(); }, "boot " + std::to_string(boot_)};
  }

  timestamp wall() const noexcept { return wall_.load(); }
  // Both clocks count it.
  void pass(milliseconds time) noexcept {
    steady_.store(steady_.load() + time);
    set_by(time);
  }
  void set_by(milliseconds step) noexcept { wall_.store(wall_.load() + step); }
  void set(timestamp wall) noexcept { wall_.store(wall); }
  // The steady clock of the next run says nothing of this one's.
  void boot_again() noexcept {
    ++boot_;
    steady_.store(std::chrono::seconds(7));
  }

 private:
  std::atomic<timestamp> wall_;
  std::atomic<milliseconds> steady_{std::chrono::hours(100)};
  int boot_ = 1;
};

}  // namespace ordem::testing
