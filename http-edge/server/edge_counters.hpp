// What the HTTP server has done so far. Written by the I/O threads, read by anybody.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "http-edge/protocol/memory_budget.hpp"
#include "http-edge/server/connection_count.hpp"
#include "http-edge/server/settings.hpp"

namespace ordem::http_edge {

// Upper bounds, in microseconds, of the buckets that response times are counted in; above the last there is one bucket
// more.
inline constexpr std::array<std::uint64_t, 11> response_us_bounds = {50,    100,    250,    500,     1'000,    2'500,
                                                                     5'000, 10'000, 50'000, 250'000, 1'000'000};

struct edge_counters {
  using counter = std::atomic<std::uint64_t>;

  explicit edge_counters(const server_settings& settings)
      : body_memory(settings.body_memory_bytes_max), response_memory(settings.response_memory_bytes_max) {}

  std::array<counter, 6> responses{};    // by the first digit of the status
  std::array<counter, 6> batch_lines{};  // verdicts on lines of batches, by the first digit of the status
  counter response_us{0};                // from a whole request to its answer being ready to be written
  std::array<counter, response_us_bounds.size() + 1> responses_by_us{};
  counter connections_accepted{0};
  counter connections_refused{0};
  counter accept_failures{0};  // for want of a file descriptor, mostly
  counter timeouts{0};
  connection_count connections;
  memory_budget body_memory;
  memory_budget response_memory;
};

}  // namespace ordem::http_edge
