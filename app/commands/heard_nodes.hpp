// The nodes of a cluster that a command hears. For one thread; the connection must outlive it.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "cluster/nats/core_messages.hpp"
#include "cluster/nats/nats_connection.hpp"
#include "cluster/node/stream_position.hpp"
#include "cluster/protocol/heartbeat.hpp"

namespace ordem::app {

// By name.
using node_heartbeats = std::map<std::string, cluster::heartbeat>;

// In which every node is heard: each sends a heartbeat every 300 ms.
inline constexpr std::chrono::seconds listening_time{1};

// Collects the last heartbeat of each node, from its construction on.
class heard_nodes {
 public:
  // The subject of heartbeats.
  heard_nodes(cluster::nats_connection& connection, const std::string& subject);
  // At most 64 nodes.
  node_heartbeats all();

 private:
  std::mutex mutex_;
  node_heartbeats heard_;
  cluster::core_messages messages_;
};

// Names the owner by its heartbeat where the record with which it took the log was trimmed.
void name_owner(cluster::log_ownership& of, const node_heartbeats& heard);

}  // namespace ordem::app
