#include "app/observability/cluster_metrics.hpp"

#include <catch2/catch.hpp>

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;
using cluster::cluster_node_stats;

TEST_CASE("the metrics of a node tell its role, the owner and the owners before") {
  cluster_node_stats stats;
  CHECK_THAT(cluster_metrics_text(stats), Contains("\nordem_cluster_role{role=\"joining\"} 1\n") &&
                                              Contains("\nordem_cluster_role{role=\"standby\"} 0\n") &&
                                              Contains("\nordem_cluster_role{role=\"claiming\"} 0\n") &&
                                              Contains("\nordem_cluster_role{role=\"owner\"} 0\n") &&
                                              Contains("\nordem_cluster_role{role=\"stopped\"} 0\n") &&
                                              Contains("\nordem_cluster_owner_known 0\n"));
  stats.role = cluster::node_role::owner;
  stats.owner = "n-1";
  stats.epoch = 7;
  stats.ownerships_begun = 3;
  stats.ended_fenced = 1;
  stats.ended_released = 2;
  stats.ended_stopped = 4;
  const std::string text = cluster_metrics_text(stats);
  CHECK_THAT(text, Contains("\nordem_cluster_role{role=\"joining\"} 0\n") &&
                       Contains("\nordem_cluster_role{role=\"owner\"} 1\n") &&
                       Contains("\nordem_cluster_owner_known 1\n") && Contains("\nordem_cluster_epoch 7\n") &&
                       Contains("\nordem_cluster_ownerships_total 3\n") &&
                       Contains("\nordem_cluster_ownership_ends_total{reason=\"fenced\"} 1\n") &&
                       Contains("\nordem_cluster_ownership_ends_total{reason=\"released\"} 2\n") &&
                       Contains("\nordem_cluster_ownership_ends_total{reason=\"stopped\"} 4\n"));
}

TEST_CASE("the metrics of a node tell how far it is, and what it has in flight") {
  cluster_node_stats stats;
  stats.stream_last = 120;
  stats.log_bytes = 5'000;
  stats.log_bytes_max = 9'000;
  stats.read_to = 100;
  stats.applied = {950};
  stats.dead_records = 5;
  stats.unknown_outcomes = 6;
  stats.window_records = 2;
  stats.window_records_max = 8;
  CHECK_THAT(cluster_metrics_text(stats),
             Contains("\nordem_cluster_stream_sequence 120\n") && Contains("\nordem_cluster_lag_records 20\n") &&
                 Contains("\nordem_cluster_log_bytes 5000\n") && Contains("\nordem_cluster_log_bytes_max 9000\n") &&
                 Contains("\nordem_cluster_applied_position 950\n") &&
                 Contains("\nordem_cluster_dead_records_total 5\n") &&
                 Contains("\nordem_cluster_unknown_outcomes_total 6\n") &&
                 Contains("\nordem_cluster_window_records 2\n") && Contains("\nordem_cluster_window_records_max 8\n"));
  stats.read_to = 121;  // read before the stream was asked
  CHECK_THAT(cluster_metrics_text(stats), Contains("\nordem_cluster_lag_records 0\n"));
}

TEST_CASE("the metrics of a node name the servers of NATS and the other nodes") {
  cluster_node_stats stats;
  stats.is_connected = true;
  stats.links = {{"nats://a:4222", true, 0}, {"nats://b:4222", false, 3}};
  stats.peers.resize(1);
  stats.peers[0].last.node = "n\"2\\\n";
  stats.peers[0].lag = 9;
  stats.dropped_messages = 4;
  CHECK_THAT(cluster_metrics_text(stats),
             Contains("\nordem_cluster_connected 1\n") &&
                 Contains("\nordem_cluster_link_up{server=\"nats://a:4222\"} 1\n") &&
                 Contains("\nordem_cluster_link_up{server=\"nats://b:4222\"} 0\n") &&
                 Contains("\nordem_cluster_link_losses_total{server=\"nats://b:4222\"} 3\n") &&
                 Contains("\nordem_cluster_peers 1\n") &&
                 Contains("\nordem_cluster_peer_lag_records{node=\"n\\\"2\\\\\\n\"} 9\n") &&
                 Contains("\nordem_cluster_dropped_messages_total 4\n"));
}

TEST_CASE("the metrics of a node count what it forwards") {
  cluster_node_stats stats;
  stats.forwarding = {.forwarded = 1,
                      .sent_again = 2,
                      .without_owner = 3,
                      .lost_with_owner = 0,
                      .overloaded = 5,
                      .held_too_long = 6,
                      .waiting = 7};
  CHECK_THAT(cluster_metrics_text(stats),
             Contains("\nordem_cluster_forwarded_total 1\n") && Contains("\nordem_cluster_forwarded_again_total 2\n") &&
                 Contains("\nordem_cluster_forward_failures_total{reason=\"no_owner\"} 3\n") &&
                 Contains("\nordem_cluster_forward_failures_total{reason=\"overloaded\"} 5\n") &&
                 Contains("\nordem_cluster_replies_ahead_total 6\n") && Contains("\nordem_cluster_forwarding 7\n"));
}

}  // namespace
}  // namespace ordem::app
