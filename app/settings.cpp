#include "app/settings.hpp"

namespace ordem::app {

std::optional<std::string> contradiction_in(const settings& given) {
  if (given.server.connections_max < given.server.io_threads) {
    return "--max-connections must not be below --io-threads, or some threads would have nothing to serve";
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
  return contradiction_in(given.engine.captures);
}

std::optional<std::string> contradiction_in(const capture_terms& given) {
  if (given.ttl < given.lease) {
    return "--capture-ttl must not be below --capture-lease: a capture would be forgotten while its lease runs";
  }
  return std::nullopt;
}

}  // namespace ordem::app
