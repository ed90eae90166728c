// The counters of the change feed. Owned by edge_counters. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ordem::http_edge {

// Why a stream was ended before its reader wanted it.
enum class feed_cut : std::uint8_t {
  stalled,  // the reader took no byte for --request-timeout
  memory,   // --response-memory was used up
  trimmed,  // the log no longer has what the reader would get next
  failed,   // the log could not be read
};
inline constexpr std::array<std::string_view, 4> feed_cut_names = {"stalled", "memory", "trimmed", "failed"};

struct feed_counters {
  using counter = std::atomic<std::uint64_t>;

  std::atomic<std::int64_t> readers{0};  // streams, and pages that are read or wait
  counter refused{0};                    // readers over --feed-readers
  counter events{0};                     // sent, to all readers together
  counter reads_behind{0};               // reads from the log for one reader that is behind the newest blocks
  std::array<counter, feed_cut_names.size()> cuts{};

  void count(feed_cut why) noexcept { cuts[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed); }
};

}  // namespace ordem::http_edge
