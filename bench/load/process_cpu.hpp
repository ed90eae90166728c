// process_cpu: the CPU time of a process so far, in user and system mode.
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

/// The same from the text of /proc/PID/stat, in clock ticks. Throws std::runtime_error if the text is malformed.
[[nodiscard]] long cpu_ticks_in(std::string_view stat);

}  // namespace ordem::bench
