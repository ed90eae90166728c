#include "app/commands/cluster_status.hpp"

#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <optional>
#include <string>
#include <thread>

#include "app/commands/cluster_log.hpp"
#include "app/commands/failure.hpp"
#include "app/commands/heard_nodes.hpp"
#include "cluster/nats/stream_settings.hpp"
#include "cluster/node/stream_position.hpp"
#include "cluster/protocol/heartbeat.hpp"
#include "engine/model/json_value.hpp"

namespace ordem::app {
namespace {

struct state {
  cluster::stream_info stream;
  std::optional<cluster::genesis_record> genesis;
  std::optional<cluster::log_ownership> ownership;
  node_heartbeats heard;
};

std::string text_of(const state& now, const std::string& name, const std::string& stream) {
  std::string out = fmt::format("cluster {}", name);
  if (now.genesis) out += fmt::format(", id {}", now.genesis->cluster_id);
  const cluster::stream_info& log = now.stream;
  out += fmt::format("\nlog: stream {}, {} records, sequences {} to {}, {} of {} bytes", stream, log.records,
                     log.first_sequence, log.last_sequence, log.bytes, log.bytes_max);
  out += fmt::format("\nreplicas: {} (leader)", log.leader.empty() ? "none" : log.leader);
  for (const auto& each : log.followers) {
    const std::string how = each.is_offline   ? "offline"
                            : each.is_current ? "current"
                                              : fmt::format("behind by {} records", each.lag);
    out += fmt::format(", {} ({})", each.server, how);
  }
  if (!now.ownership) {
    out += "\nowner: none yet";
  } else {
    const cluster::log_ownership& last = *now.ownership;
    out += fmt::format("\nowner: {}{}, epoch {}", last.owner.node.empty() ? "unknown" : last.owner.node,
                       last.is_released ? " (has released the log)" : "", last.epoch);
    if (last.sequence > 0) out += fmt::format(", since sequence {}", last.sequence);
    if (!last.owner.http_address.empty()) out += fmt::format(", at {}", last.owner.http_address);
  }
  out += fmt::format("\nnodes heard within a second: {}", now.heard.empty() ? "none" : "");
  for (const auto& [node, last] : now.heard) {
    out += fmt::format("\n  {}: {}, epoch {}, sequence {}, position {}, {}, version {}", node, to_string(last.role),
                       last.epoch, last.sequence, last.applied.number,
                       last.http_address.empty() ? "no address" : last.http_address, last.program_version);
  }
  return out;
}

std::string json_text(const std::string& text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string json_of(const state& now, const std::string& name, const std::string& stream) {
  const cluster::stream_info& log = now.stream;
  std::string out = fmt::format(R"({{"cluster":{},"id":{},"log":{{"stream":{},"records":{},"first_sequence":{},)"
                                R"("last_sequence":{},"bytes":{},"bytes_max":{},"leader":{},"followers":[)",
                                json_text(name), now.genesis ? json_text(now.genesis->cluster_id) : "null",
                                json_text(stream), log.records, log.first_sequence, log.last_sequence, log.bytes,
                                log.bytes_max, log.leader.empty() ? "null" : json_text(log.leader));
  for (std::size_t i = 0; i < log.followers.size(); ++i) {
    const auto& each = log.followers[i];
    out += fmt::format(R"({}{{"server":{},"current":{},"offline":{},"lag":{},"last_seen_ms":{}}})", i == 0 ? "" : ",",
                       json_text(each.server), each.is_current, each.is_offline, each.lag, each.last_seen.count());
  }
  out += R"(]},"owner":)";
  if (now.ownership) {
    const cluster::log_ownership& last = *now.ownership;
    out += fmt::format(R"({{"node":{},"epoch":{},"sequence":{},"http_address":{},"released":{}}})",
                       json_text(last.owner.node), last.epoch, last.sequence, json_text(last.owner.http_address),
                       last.is_released);
  } else {
    out += "null";
  }
  out += R"(,"nodes":[)";
  bool is_first = true;
  for (const auto& [node, last] : now.heard) {
    out += fmt::format(
        R"({}{{"node":{},"role":"{}","epoch":{},"sequence":{},"position":{},"http_address":{},"version":{}}})",
        is_first ? "" : ",", json_text(node), to_string(last.role), last.epoch, last.sequence, last.applied.number,
        json_text(last.http_address), json_text(last.program_version));
    is_first = false;
  }
  return out + "]}";
}

}  // namespace

int cluster_status(const cluster_status_command& what) {
  const auto names = cluster::names_of(what.at.name);
  const auto connected = connect_to_nats(what.at);
  if (!connected) return fail(connected.error());
  cluster::nats_connection& connection = **connected;
  const auto info = read_log_stream(connection, what.at.name);
  if (!info) return fail(info.error());
  heard_nodes nodes(connection, names.heartbeat);
  const auto end = std::chrono::steady_clock::now() + listening_time;
  const auto genesis = read_genesis(connection, names.stream);
  if (!genesis) return fail(genesis.error());
  const auto ownership = read_ownership(connection, names.stream, *info);
  if (!ownership) return fail(ownership.error());
  std::this_thread::sleep_until(end);
  state now{*info, *genesis, *ownership, nodes.all()};
  if (now.ownership) name_owner(*now.ownership, now.heard);
  std::cout << (what.json ? json_of(now, what.at.name, names.stream) : text_of(now, what.at.name, names.stream))
            << "\n";
  return 0;
}

}  // namespace ordem::app
