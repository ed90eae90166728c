#include "app/observability/process_stats.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

namespace ordem::app {
namespace {

std::string text_of(const char* file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Returns the time of the boot in seconds since the epoch. (/proc/stat has it too, but a sandbox may hide that.)
double boot_time() noexcept {
  timespec since_boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  constexpr double ns_per_second = 1e9;
  return std::chrono::duration<double>(now).count() - static_cast<double>(since_boot.tv_sec) -
         static_cast<double>(since_boot.tv_nsec) / ns_per_second;
}

std::optional<std::uint64_t> open_files() {
  constexpr const char* folder = "/proc/self/fd";
  struct stat status{};
  // Since Linux 6.2 the size of the folder is the number of descriptors.
  if (::stat(folder, &status) == 0 && status.st_size > 0) return static_cast<std::uint64_t>(status.st_size);
  DIR* const opened = ::opendir(folder);
  if (opened == nullptr) return std::nullopt;
  std::uint64_t entries = 0;
  while (::readdir(opened) != nullptr) ++entries;  // NOLINT(concurrency-mt-unsafe): no other thread has this DIR
  ::closedir(opened);
  constexpr std::uint64_t others = 3;  // ".", ".." and the descriptor of the folder itself
  return entries > others ? entries - others : 0;
}

}  // namespace

process_stats parse_process_stats(const std::string& stat, double boot_s) {
  process_stats found;
  // The second field is the name in parentheses, which may have any characters. The third one comes behind it.
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return found;
  std::istringstream rest(stat.substr(name_end + 1));
  const std::vector<std::string> fields(std::istream_iterator<std::string>(rest), {});
  constexpr std::size_t first = 3;
  constexpr std::size_t user_time = 14;
  constexpr std::size_t system_time = 15;
  constexpr std::size_t thread_count = 20;
  constexpr std::size_t start_time = 22;
  constexpr std::size_t virtual_size = 23;
  constexpr std::size_t resident_pages = 24;
  if (fields.size() <= resident_pages - first) return found;
  const auto field = [&](std::size_t number) { return std::strtoull(fields[number - first].c_str(), nullptr, 10); };
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  found.cpu_seconds = static_cast<double>(field(user_time) + field(system_time)) / ticks;
  found.threads = field(thread_count);
  found.virtual_bytes = field(virtual_size);
  found.resident_bytes = field(resident_pages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  found.started_at_s = boot_s + static_cast<double>(field(start_time)) / ticks;
  return found;
}

process_stats read_process_stats() {
  static const double boot_s = boot_time();  // once, so that the start does not move with the machine's clock
  process_stats found = parse_process_stats(text_of("/proc/self/stat"), boot_s);
  found.open_files = open_files();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) found.open_files_max = limit.rlim_cur;
  return found;
}

std::optional<disk_stats> read_disk_stats(const std::string& folder) {
  struct statvfs status{};
  if (::statvfs(folder.c_str(), &status) != 0) return std::nullopt;
  return disk_stats{std::uint64_t{status.f_blocks} * status.f_frsize, std::uint64_t{status.f_bavail} * status.f_frsize};
}

}  // namespace ordem::app
