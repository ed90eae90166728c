// CLOCK_BOOTTIME of this machine (cluster/protocol/instant.hpp says what it is for). Thread-safe.
#pragma once

#include <ctime>

#include "cluster/protocol/instant.hpp"

namespace ordem::cluster {

inline boot_time boot_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return boot_time(std::chrono::seconds(now.tv_sec) +
                   std::chrono::duration_cast<boot_clock::duration>(std::chrono::nanoseconds(now.tv_nsec)));
}

}  // namespace ordem::cluster
