// Makes the gateway over a log, with its sink in Postgres, and destroys both: once in the life of a server without a
// cluster, once for each ownership of the log on a node of one. What the gateways count goes on from one to the next.
// Owned by the command `serve`.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "actors/counters.hpp"
#include "actors/gateway.hpp"
#include "app/observability/logger.hpp"
#include "app/observability/metrics.hpp"
#include "app/process/server_reports.hpp"
#include "app/settings/settings.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/tracing.hpp"
#include "http-edge/protocol/service_status.hpp"
#include "storage/log/log.hpp"
#include "storage/log/sink.hpp"
#include "storage/log/view.hpp"

namespace ordem::app {

// What every gateway works on, and where it reports. All must outlive the host.
struct engine_surroundings {
  storage::view& view;
  const time_source& clock;
  ordem::tracer* tracer = nullptr;  // null: requests are not traced
  logger& log;
  server_reports& reports;
  http_edge::service_status& status;
};

class engine_host {
 public:
  // `log_id`: of all logs. `on_visible`: called by a thread of the gateway when entries have become visible to reads;
  // must not block, nor call the host. Without a cluster the status becomes ready, and stops to take writes, by what
  // the gateway reports; in a cluster the node decides that, but that no writes are taken while Postgres refuses them
  // for good.
  engine_host(const settings& values, std::string log_id, engine_surroundings around, std::function<void()> on_visible);
  // Destroys the gateway if there is one.
  ~engine_host();
  engine_host(const engine_host&) = delete;
  engine_host& operator=(const engine_host&) = delete;

  // Makes a gateway over `log`, which must outlive it. Replication starts by gateway::start_consuming(). REQUIRES:
  // there is none; the view has all of the log. begin(), gateway() and end(): one thread at a time.
  void begin(storage::log& log);
  // REQUIRES: there is one.
  actors::gateway& gateway() noexcept { return *gateway_; }
  // Destroys the gateway; messages in flight get no reply. Does nothing if there is none.
  void end();

  // The functions below are thread-safe.

  // Returns how far the log has come. Without a gateway: how far reads see it.
  log_positions positions() const;
  engine_stats stats() const;

 private:
  actors::gateway_events gateway_events();

  const actors::gateway_settings settings_;
  const std::string postgres_url_;
  const std::string log_id_;
  const bool is_of_cluster_;
  const engine_surroundings around_;
  const std::function<void()> on_visible_;
  actors::counters counters_;

  mutable std::mutex mutex_;  // for the pointer to the gateway, which others read while it is made and destroyed
  std::unique_ptr<storage::sink> postgres_;
  std::unique_ptr<actors::gateway> gateway_;
};

}  // namespace ordem::app
