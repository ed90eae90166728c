// fsync_probe: how long the disk under a folder takes to make a small append durable.
//
// The baseline for a durable create: no group of creates can take less time than one flush.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>

#include "bench/load/latency_histogram.hpp"

namespace ordem::bench {

inline constexpr std::size_t fsync_probe_append_bytes = 4096;

/// Appends fsync_probe_append_bytes to a new file in `folder` and flushes it (fdatasync), one after the other
/// for `duration`, and removes the file. The latency is that of append and flush together. Blocks. Throws
/// std::system_error on failure.
[[nodiscard]] latency_histogram probe_fsync(const std::filesystem::path& folder, std::chrono::nanoseconds duration);

}  // namespace ordem::bench
