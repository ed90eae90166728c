// The metrics of a node of a cluster in the Prometheus text format. Pure functions; thread-safe.
#pragma once

#include <string>

#include "cluster/node/cluster_node.hpp"

namespace ordem::app {

// Returns lines for GET /metrics, to be appended to those of metrics_text().
std::string cluster_metrics_text(const cluster::cluster_node_stats& stats);

}  // namespace ordem::app
