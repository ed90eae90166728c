#include "app/observability/cluster_metrics.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "app/observability/metric_text.hpp"

namespace ordem::app {
namespace {

using cluster::cluster_node_stats;
using cluster::node_role;

constexpr std::array roles = {node_role::joining, node_role::standby, node_role::claiming, node_role::owner,
                              node_role::stopped};

std::string ownership_text(const cluster_node_stats& stats) {
  std::string text = metric_head("ordem_cluster_role", "gauge", "1 for the role of this node, 0 for each other role.");
  for (const node_role each : roles) {
    text += metric_value("ordem_cluster_role", metric_label("role", to_string(each)), stats.role == each ? 1 : 0);
  }
  text += gauge_text("ordem_cluster_owner_known", "1 if this node knows the owner of the log, else 0.",
                     stats.owner.empty() ? 0 : 1);
  text +=
      gauge_text("ordem_cluster_epoch", "Counts the owners of the log, as far as this node has read it.", stats.epoch);
  text += counter_text("ordem_cluster_ownerships_total", "Times that this node began to own the log.",
                       stats.ownerships_begun);
  constexpr const char* ends = "ordem_cluster_ownership_ends_total";
  text += metric_head(ends, "counter", "Times that this node ceased to own the log, by reason.");
  for (const auto& [reason, count] :
       {std::pair("fenced", stats.ended_fenced), std::pair("released", stats.ended_released),
        std::pair("stopped", stats.ended_stopped)}) {
    text += metric_value(ends, metric_label("reason", reason), count);
  }
  return text;
}

std::string log_text(const cluster_node_stats& stats) {
  const std::uint64_t lag = stats.stream_last > stats.read_to ? stats.stream_last - stats.read_to : 0;
  std::string text = gauge_text("ordem_cluster_stream_sequence",
                                "The last record of the stream that this node knows of.", stats.stream_last);
  text += gauge_text("ordem_cluster_log_bytes", "Size of the stream.", stats.log_bytes);
  text += gauge_text("ordem_cluster_log_bytes_max", "The size that it may reach; then writes are refused.",
                     stats.log_bytes_max);
  text += gauge_text("ordem_cluster_lag_records", "Records of the stream that this node has not read.", lag);
  text +=
      gauge_text("ordem_cluster_applied_position", "The position that reads of this node show.", stats.applied.number);
  text += counter_text("ordem_cluster_dead_records_total",
                       "Records read that do not belong to the log: a deposed owner had them in flight.",
                       stats.dead_records);
  text +=
      counter_text("ordem_cluster_unknown_outcomes_total",
                   "Appends without an answer, which the node has looked for in the stream.", stats.unknown_outcomes);
  text += gauge_text("ordem_cluster_window_records", "Records appended and not acknowledged.", stats.window_records);
  text += gauge_text("ordem_cluster_window_records_max", "The most of them at once; then the next ones wait.",
                     stats.window_records_max);
  return text;
}

std::string connection_text(const cluster_node_stats& stats) {
  std::string text =
      gauge_text("ordem_cluster_connected", "1 if this node reaches the log and the other nodes, else 0.",
                 stats.is_connected ? 1 : 0);
  text += metric_head("ordem_cluster_link_up", "gauge", "1 if the connection to that server of NATS works, else 0.");
  for (const auto& each : stats.links) {
    text += metric_value("ordem_cluster_link_up", metric_label("server", each.server), each.is_up ? 1 : 0);
  }
  text += metric_head("ordem_cluster_link_losses_total", "counter", "Lost connections to that server of NATS.");
  for (const auto& each : stats.links) {
    text += metric_value("ordem_cluster_link_losses_total", metric_label("server", each.server), each.losses);
  }
  text += gauge_text("ordem_cluster_peers", "Other nodes heard of in the last 10 s.", stats.peers.size());
  text += metric_head("ordem_cluster_peer_lag_records", "gauge",
                      "Records of the stream that another node had not read at its last heartbeat.");
  for (const auto& each : stats.peers) {
    text += metric_value("ordem_cluster_peer_lag_records", metric_label("node", each.last.node), each.lag);
  }
  text += counter_text("ordem_cluster_dropped_messages_total",
                       "Messages of other nodes dropped because this one was too slow.", stats.dropped_messages);
  return text;
}

std::string forwarding_text(const cluster::forwarding_stats& stats) {
  std::string text = counter_text("ordem_cluster_forwarded_total", "Writes forwarded to the owner.", stats.forwarded);
  text += gauge_text("ordem_cluster_forwarding", "Forwarded writes without an answer, or that wait for an owner.",
                     stats.waiting);
  text += counter_text("ordem_cluster_forwarded_again_total", "Requests to the owner that were sent again.",
                       stats.sent_again);
  constexpr const char* failures = "ordem_cluster_forward_failures_total";
  text += metric_head(failures, "counter", "Writes that were refused on their way to the owner, by reason.");
  text += metric_value(failures, metric_label("reason", "no_owner"), stats.without_owner);
  text += metric_value(failures, metric_label("reason", "overloaded"), stats.overloaded);
  text += counter_text("ordem_cluster_replies_ahead_total",
                       "Replies of the owner that were sent before reads of this node showed what they are about.",
                       stats.held_too_long);
  return text;
}

}  // namespace

std::string cluster_metrics_text(const cluster_node_stats& stats) {
  return ownership_text(stats) + log_text(stats) + connection_text(stats) + forwarding_text(stats.forwarding);
}

}  // namespace ordem::app
