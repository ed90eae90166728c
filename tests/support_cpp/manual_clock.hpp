// A clock that stands still until a test moves it. now() from any thread, as of every time source.
#pragma once

#include <atomic>

#include "engine/time.hpp"

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

}  // namespace ordem::testing
