// process_cpu: what a process has used of the cores so far, in user and system mode.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string_view>

namespace ordem::bench {

/// Of this process. Throws std::runtime_error on failure.
[[nodiscard]] std::chrono::nanoseconds own_cpu();

/// Of a process of this machine with all its threads, in steps of the kernel's clock tick, mostly 10 ms. Throws
/// std::runtime_error if there is none of that id.
[[nodiscard]] std::chrono::nanoseconds cpu_of(pid_t process);

/// The same out of the text of /proc/PID/stat, in clock ticks. Throws std::runtime_error if it is none.
[[nodiscard]] long cpu_ticks_in(std::string_view stat);

}  // namespace ordem::bench
