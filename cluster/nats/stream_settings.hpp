// The settings of the log's stream in JetStream, and what JetStream says about it. Functions that take a connection
// block; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "cluster/nats/cluster_names.hpp"
#include "cluster/nats/nats_connection.hpp"
#include "cluster/protocol/limits.hpp"

namespace ordem::cluster {

// A record with its headers: what the stream takes as one message, so the servers must (`max_payload`).
inline constexpr std::size_t nats_payload_bytes_min = record_bytes_max + (std::size_t{64} << 10);

struct stream_settings {
  cluster_names names;
  unsigned replicas = 3;
  // The size that the stream may reach; beyond it appends are refused until the log is trimmed.
  std::uint64_t bytes_max = std::uint64_t{64} << 30;
};

// Returns the configuration as JetStream's API takes it (ADR-1 of NATS), as JSON.
std::string stream_configuration(const stream_settings& settings);

struct stream_difference {
  std::string name;  // of a member of the configuration
  std::string wanted;
  std::string found;  // both as JSON; empty: it is not there
};

struct stream_replica {
  std::string server;
  bool is_current = false;
  bool is_offline = false;
  std::uint64_t lag = 0;                   // records that it lacks
  std::chrono::milliseconds last_seen{0};  // before now
};

struct stream_info {
  std::string leader;  // a server's name; empty: there is none
  std::vector<stream_replica> followers;
  unsigned replicas = 0;
  std::uint64_t first_sequence = 0;
  std::uint64_t last_sequence = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_max = 0;
  std::string configuration;  // as JSON
};

// Returns nullopt if the answer of STREAM.INFO or STREAM.CREATE is none.
std::optional<stream_info> parse_stream_info(std::string_view json);

// Returns where a stream has other settings than wanted. What the servers add by themselves is no difference.
std::vector<stream_difference> compare_stream(const stream_settings& wanted, const stream_info& found);

// The subject of the request that parse_stream_info() takes the answer of, for callers that do not block.
std::string stream_info_subject(const std::string& stream);
// Returns nullopt if there is no such stream.
tl::expected<std::optional<stream_info>, nats_failure> read_stream_info(nats_connection& connection,
                                                                        const std::string& stream);
// Makes the stream. It succeeds as well if there is one with equal settings.
tl::expected<stream_info, nats_failure> create_stream(nats_connection& connection, const stream_settings& settings);

}  // namespace ordem::cluster
