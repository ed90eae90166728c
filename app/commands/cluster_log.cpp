#include "app/commands/cluster_log.hpp"

#include <fmt/format.h>

#include <utility>

#include "cluster/nats/cluster_names.hpp"

namespace ordem::app {

tl::expected<std::unique_ptr<cluster::nats_connection>, std::string> connect_to_nats(const cluster_settings& at) {
  return cluster::nats_connection::connect(
      {.nats = at.nats, .connection_name = "ordem cluster", .keeps_trying = false, .on_state = {}, .on_closed = {}});
}

std::string no_cluster_error(const std::string& name) {
  return fmt::format("there is no cluster {}: NATS has no stream {}; `ordem cluster init` makes it", name,
                     cluster::names_of(name).stream);
}

tl::expected<cluster::stream_info, std::string> read_log_stream(cluster::nats_connection& connection,
                                                                const std::string& cluster_name) {
  auto info = cluster::read_stream_info(connection, cluster::names_of(cluster_name).stream);
  if (!info) return tl::make_unexpected(std::move(info.error().text));
  if (!*info) return tl::make_unexpected(no_cluster_error(cluster_name));
  return **std::move(info);
}

tl::expected<std::optional<cluster::log_ownership>, std::string> read_ownership(cluster::nats_connection& connection,
                                                                                const std::string& stream,
                                                                                const cluster::stream_info& info) {
  return cluster::find_ownership(cluster::records_of(connection, stream), {info.first_sequence, info.last_sequence});
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
