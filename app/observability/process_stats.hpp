// What the system says about this process and about the disk of its data folder, for metrics. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace ordem::app {

// From /proc (proc(5)); a value that the system hides is missing.
struct process_stats {
  std::optional<double> cpu_seconds;  // user and system
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint64_t> virtual_bytes;
  std::optional<std::uint64_t> threads;
  std::optional<double> started_at_s;  // since the epoch, by the machine's clock
  std::optional<std::uint64_t> open_files;
  std::optional<std::uint64_t> open_files_max;  // the soft limit; missing if there is none
};

process_stats read_process_stats();

// Parses the text of /proc/self/stat. `boot_s` is the time of the boot, since the epoch. Returns what it finds.
process_stats parse_process_stats(const std::string& stat, double boot_s);

struct disk_stats {
  std::uint64_t size_bytes = 0;
  std::uint64_t available_bytes = 0;  // to this user, without what the file system reserves for root
};

// Returns nullopt if the system does not tell, as of a folder that was removed.
std::optional<disk_stats> read_disk_stats(const std::string& folder);

}  // namespace ordem::app
