// The time of an event, as the caller read it. The protocol has no clock of its own. Values: any thread.
#pragma once

#include <chrono>

#include "engine/model/time.hpp"

namespace ordem::cluster {

// CLOCK_BOOTTIME of one machine: it goes on while the machine sleeps and is never set. Times of two machines cannot be
// compared.
struct boot_clock {
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<boot_clock>;
  static constexpr bool is_steady = true;
};
using boot_time = boot_clock::time_point;

struct instant {
  boot_time boot;  // decides about leases, timeouts and takeovers
  timestamp wall;  // dates records, and decides nothing else
};

}  // namespace ordem::cluster
