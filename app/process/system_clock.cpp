#include "app/process/system_clock.hpp"

#include <ctime>
#include <fstream>

namespace ordem::app {
namespace {

// Includes the time that the machine slept, and does not change when the wall clock is set.
milliseconds time_since_boot() noexcept {
  timespec since{};
  clock_gettime(CLOCK_BOOTTIME, &since);
  return std::chrono::duration_cast<milliseconds>(std::chrono::seconds(since.tv_sec) +
                                                  std::chrono::nanoseconds(since.tv_nsec));
}

// Returns an empty text if the file cannot be read.
std::string boot_id() {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
  return id;
}

}  // namespace

timestamp system_time() noexcept {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

clock_sources machine_clocks() {
  return {system_time, time_since_boot, boot_id()};
}

}  // namespace ordem::app
