// The counters of the HTTP server, and its memory budgets. Owned by the server. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/duration_histogram.hpp"
#include "http-edge/feed/feed_counters.hpp"
#include "http-edge/protocol/memory_budget.hpp"
#include "http-edge/server/connection_count.hpp"
#include "http-edge/server/request_counts.hpp"
#include "http-edge/server/settings.hpp"

namespace ordem::http_edge {

// The buckets of the metric ordem_http_refusal_seconds.
inline constexpr std::array<std::uint64_t, 8> refusal_us_bounds = {5, 10, 25, 50, 100, 250, 1'000, 10'000};
// The buckets of the metric ordem_http_loop_delay_seconds.
inline constexpr std::array<std::uint64_t, 9> loop_us_bounds = {100,    500,    1'000,   2'500,  5'000,
                                                                10'000, 50'000, 150'000, 500'000};

// Memory for responses to GET /metrics beside --response-memory, so that clients who use that up cannot hide it.
inline constexpr std::size_t metrics_memory_bytes_max = std::size_t{256} << 10;

struct edge_counters {
  using counter = std::atomic<std::uint64_t>;

  explicit edge_counters(const server_settings& settings)
      : requests(settings.io_threads),
        body_memory(settings.body_memory_bytes_max),
        response_memory(settings.response_memory_bytes_max) {}

  std::vector<request_counts> requests;                // of each I/O thread
  std::array<counter, 6> batch_lines{};                // verdicts on lines of batches, by the first digit of the status
  duration_histogram<refusal_us_bounds> refusal_time;  // of a refused message, from its header to its response
  duration_histogram<loop_us_bounds> loop_delay;       // from an event to its handler, measured now and then
  counter refused_by_delay{0};                         // messages refused by admission control
  counter refused_by_bound{0};                         // messages beyond --max-in-flight
  std::atomic<std::int64_t> overloaded_threads{0};
  std::atomic<std::int64_t> held_back{0};                      // connections whose next request is left unread
  std::array<counter, codec::problem_count> batch_problems{};  // verdicts on lines of batches that are problems
  counter connections_accepted{0};
  counter connections_refused{0};             // over connections_max
  counter connections_refused_by_address{0};  // over connections_per_address_max
  counter accept_failures{0};                 // mostly because no file descriptor is left
  counter timeouts{0};
  counter tls_handshakes_full{0};
  counter tls_handshakes_resumed{0};
  counter tls_handshakes_failed{0};
  std::atomic<std::int64_t> tls_certificate_end_s{0};  // since the epoch; 0 without TLS
  feed_counters feed;
  connection_count connections;
  memory_budget body_memory;
  memory_budget response_memory;
  memory_budget metrics_memory{metrics_memory_bytes_max};  // of responses to GET /metrics, before response_memory
};

}  // namespace ordem::http_edge
