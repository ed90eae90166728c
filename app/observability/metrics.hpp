// All metrics of the server in the Prometheus text format. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "actors/counters.hpp"
#include "actors/gateway.hpp"
#include "app/observability/process_stats.hpp"
#include "app/tracing/batch_tracer.hpp"
#include "engine/model/engine_clock.hpp"
#include "engine/ports/readers.hpp"
#include "http-edge/access/access_control.hpp"
#include "http-edge/protocol/service_status.hpp"
#include "http-edge/server/edge_counters.hpp"
#include "storage/log/store.hpp"

namespace ordem::app {

// What the program knows about itself.
struct own_stats {
  process_stats process = {};
  std::optional<disk_stats> disk = std::nullopt;  // of the data folder
  std::uint64_t request_log_dropped = 0;
  std::uint64_t feed_lag = 0;          // in entries
  std::uint64_t feed_slowest_lag = 0;  // of the stream that is furthest behind, in entries
};

// What is known of the engine at one moment, with a gateway or without one.
struct engine_stats {
  // Of the sink in Postgres.
  struct sink {
    bool is_connected = false;
    std::uint64_t backlog_bytes = 0;
  };

  const actors::counters& counters;
  std::size_t in_flight = 0;
  log_positions positions = {};
  std::optional<sink> postgres = std::nullopt;  // absent: this gateway does not write to Postgres
};

engine_stats stats_of(const actors::gateway& engine);

// Returns the text of GET /metrics. engine, log and store may be null while the server recovers, `spans` if requests
// are not traced.
std::string metrics_text(const http_edge::edge_counters& edge, const http_edge::access_state& access,
                         http_edge::service_state state, const engine_stats* engine, const storage::log* log,
                         const storage::view_stats* view, timestamp now, const clock_stats& clock, const own_stats& own,
                         const tracer_stats* spans = nullptr);

}  // namespace ordem::app
