#include "app/settings/settings.hpp"

#include <algorithm>

#include "engine/base/limits.hpp"

namespace ordem::app {

std::optional<std::string> check_settings(const settings& given) {
  if (given.server.connections_max < given.server.io_threads) {
    return "--max-connections must not be below --io-threads, or some threads would have nothing to serve";
  }
  const std::size_t largest_capture = http_edge::capture_body_bytes_max(given.server);
  if (given.server.body_memory_bytes_max < std::max(given.server.body_bytes_max, largest_capture)) {
    return "--body-memory must not be below --max-body, nor below six times --capture-max and 64 KiB: such a body would "
           "never be taken";
  }
  if (given.server.response_memory_bytes_max < std::max(2 * limits::page_bytes_max, largest_capture)) {
    return "--response-memory must not be below 2 MiB, nor below six times --capture-max and 64 KiB: such an answer would "
           "never be given";
  }
  if (given.engine.live_orders_max < given.engine.shards) {
    return "--live-orders must not be below --shards: each shard keeps at least one order live";
  }
  if (given.store.durability == storage::durability::postgres && given.postgres_url.empty()) {
    return "--durability=postgres needs --postgres-url: answers would wait for ever";
  }
  // A client gives up on a request about then and repeats it: its GUID must still be known.
  if (given.engine.message_ttl < std::chrono::seconds(1)) {
    return "--message-ttl must be at least 1s: a repeat must find the GUID that it repeats";
  }
  return check_settings(given.engine.captures);
}

std::optional<std::string> check_settings(const capture_terms& given) {
  if (given.ttl < given.lease) {
    return "--capture-ttl must not be below --capture-lease: a capture would be forgotten while its lease runs";
  }
  return std::nullopt;
}

}  // namespace ordem::app
