// The interfaces of the service that request handlers call. Owned by the server, shared by all I/O threads.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/model/time.hpp"
#include "engine/ports/change_reader.hpp"
#include "engine/ports/read_gate.hpp"
#include "engine/ports/readers.hpp"
#include "engine/ports/tracing.hpp"
#include "http-edge/protocol/backup_port.hpp"
#include "http-edge/protocol/listener.hpp"
#include "http-edge/protocol/report_port.hpp"
#include "http-edge/protocol/request_log.hpp"
#include "http-edge/protocol/service_status.hpp"

namespace ordem::http_edge {

// All pointers outlive the server.
struct handler_context {
  // All orders, for tenant_orders, by which requests read. Null while the service is recovering.
  const order_reader* orders = nullptr;
  const time_source* clock = nullptr;
  const service_status* status = nullptr;
  std::function<std::string()> metrics_text;  // Prometheus text; thread-safe
  std::function<log_positions()> positions;   // thread-safe; REQUIRES: the service is not recovering
  listener_setup listeners = {};
  http_edge::request_log* request_log = nullptr;  // null: requests are not logged
  ordem::tracer* tracer = nullptr;                // null: requests are not traced; outlives the server
  backup_port* backups = nullptr;
  const change_reader* changes = nullptr;  // as `orders`
  const report_port* reports = nullptr;
  // The captures of all tenants. Null while the service is recovering.
  const capture_reader* captures = nullptr;
  // Asked before each read of data; null while the service is recovering, and if all reads are linearizable.
  read_gate* gate = nullptr;
};

// Returns the position that reads show, for Ordem-Position, or nullopt while the service is recovering.
std::optional<position> visible_position(const handler_context& context);

}  // namespace ordem::http_edge
