#include "app/commands/heard_nodes.hpp"

#include <cstddef>
#include <utility>

namespace ordem::app {
namespace {

constexpr std::size_t nodes_max = 64;

}  // namespace

heard_nodes::heard_nodes(cluster::nats_connection& connection, const std::string& subject) : messages_(connection) {
  messages_.subscribe(subject, [this](cluster::core_message&& message) {
    auto heard = cluster::decode_heartbeat(message.body);
    if (!heard) return;
    const std::lock_guard lock(mutex_);
    if (heard_.size() < nodes_max || heard_.contains(heard->node)) heard_[heard->node] = std::move(*heard);
  });
}

node_heartbeats heard_nodes::all() {
  const std::lock_guard lock(mutex_);
  return heard_;
}

void name_owner(cluster::log_ownership& of, const node_heartbeats& heard) {
  if (of.is_released || !of.owner.node.empty()) return;
  for (const auto& [node, last] : heard) {
    if (last.role != cluster::node_role::owner || last.epoch != of.epoch) continue;
    of.owner.node = node;
    of.owner.http_address = last.http_address;
  }
}

}  // namespace ordem::app
