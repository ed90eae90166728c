// What the commands of a cluster read of its log. For them alone; each function blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "app/settings/cluster_settings.hpp"
#include "cluster/nats/nats_connection.hpp"
#include "cluster/nats/stream_settings.hpp"
#include "cluster/protocol/control_record.hpp"
#include "storage/records/log_record.hpp"

namespace ordem::app {

// Connects to one of the servers, once. The errors here are sentences without secrets.
tl::expected<std::unique_ptr<cluster::nats_connection>, std::string> connect_to_nats(const cluster_settings& at);

// A record of the log, whole and unchanged.
struct read_log_record {
  storage::log_record_header header;
  std::string payload;
};

// Returns nullopt if the stream does not have the sequence.
tl::expected<std::optional<read_log_record>, std::string> read_log_record_at(cluster::nats_connection& connection,
                                                                             const std::string& stream,
                                                                             std::uint64_t sequence);

// Returns the first record of the log, or nullopt if the stream has none, or begins later because it was trimmed.
tl::expected<std::optional<cluster::genesis_record>, std::string> read_genesis(cluster::nats_connection& connection,
                                                                               const std::string& stream);

struct log_ownership {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;  // of its EPOCH record; 0 if that was trimmed
  cluster::epoch_record owner;
  bool is_released = false;
};

// Returns the ownership that the log ends with, or nullopt if no node has owned it. Reads some twenty records of it.
tl::expected<std::optional<log_ownership>, std::string> read_ownership(cluster::nats_connection& connection,
                                                                       const std::string& stream,
                                                                       const cluster::stream_info& info);

}  // namespace ordem::app
