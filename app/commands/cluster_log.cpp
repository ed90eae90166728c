#include "app/commands/cluster_log.hpp"

#include <fmt/format.h>

#include "cluster/node/stream_position.hpp"

namespace ordem::app {

tl::expected<std::unique_ptr<cluster::nats_connection>, std::string> connect_to_nats(const cluster_settings& at) {
  return cluster::nats_connection::connect(
      {.nats = at.nats, .connection_name = "ordem cluster", .keeps_trying = false, .on_state = {}, .on_closed = {}});
}

tl::expected<std::optional<cluster::genesis_record>, std::string> read_genesis(cluster::nats_connection& connection,
                                                                               const std::string& stream) {
  const auto record = cluster::records_of(connection, stream)(1);
  if (!record) return tl::make_unexpected(record.error());
  if (!*record) return std::optional<cluster::genesis_record>();
  auto genesis = (*record)->header.kind == storage::log_record_kind::genesis
                     ? cluster::decode_genesis((*record)->payload)
                     : std::nullopt;
  if (!genesis)
    return tl::make_unexpected(fmt::format("the stream {} does not begin with the first record of a log", stream));
  return genesis;
}

}  // namespace ordem::app
