#include "bench/load/process_cpu.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>

namespace ordem::bench {

using std::chrono::nanoseconds;

nanoseconds own_cpu() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) throw std::runtime_error("getrusage failed");
  const auto in_nanoseconds = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return in_nanoseconds(usage.ru_utime) + in_nanoseconds(usage.ru_stime);
}

nanoseconds cpu_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  if (!file) throw std::runtime_error("there is no process " + std::to_string(process));
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  return nanoseconds(std::chrono::seconds(cpu_ticks_in(stat))) / sysconf(_SC_CLK_TCK);
}

long cpu_ticks_in(std::string_view stat) {
  // The second word is the program's name in parentheses, which may hold blanks and parentheses.
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) throw std::runtime_error("no text of /proc/PID/stat");
  std::istringstream words{std::string(stat.substr(name_end + 1))};
  constexpr int words_before = 11;  // the third to the thirteenth
  std::string skipped;
  for (int i = 0; i < words_before; ++i) words >> skipped;
  long user = 0;
  long system = 0;
  if (!(words >> user >> system)) throw std::runtime_error("no text of /proc/PID/stat");
  return user + system;
}

}  // namespace ordem::bench
