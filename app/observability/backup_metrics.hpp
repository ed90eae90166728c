// The metrics of back-ups in the Prometheus text format. Pure functions; thread-safe.
#pragma once

#include <string>

#include "app/process/backup_maker.hpp"

namespace ordem::app {

// Returns lines for GET /metrics, to be appended to those of metrics_text().
std::string backup_metrics_text(const backup_stats& stats);

}  // namespace ordem::app
