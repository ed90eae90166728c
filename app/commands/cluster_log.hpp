// What the commands of a cluster read of its log. For them alone; each function blocks.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "app/settings/cluster_settings.hpp"
#include "cluster/nats/nats_connection.hpp"
#include "cluster/nats/stream_settings.hpp"
#include "cluster/node/stream_position.hpp"
#include "cluster/protocol/control_record.hpp"

namespace ordem::app {

// Connects to one of the servers, once. The errors here are sentences without secrets.
tl::expected<std::unique_ptr<cluster::nats_connection>, std::string> connect_to_nats(const cluster_settings& at);

// Says that NATS has no log of that cluster, and what to do.
std::string no_cluster_error(const std::string& name);

// Returns what NATS says about the stream of the cluster's log. Fails if there is none, too.
tl::expected<cluster::stream_info, std::string> read_log_stream(cluster::nats_connection& connection,
                                                                const std::string& cluster_name);

// Returns the last owner of the log, or nullopt if no node has owned it.
tl::expected<std::optional<cluster::log_ownership>, std::string> read_ownership(cluster::nats_connection& connection,
                                                                                const std::string& stream,
                                                                                const cluster::stream_info& info);

// Returns the first record of the log, or nullopt if the stream has none, or begins later because it was trimmed.
tl::expected<std::optional<cluster::genesis_record>, std::string> read_genesis(cluster::nats_connection& connection,
                                                                               const std::string& stream);

}  // namespace ordem::app
