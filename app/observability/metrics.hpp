// The figures of all parts in the Prometheus text format.
#pragma once

#include <string>

#include "actors/gateway.hpp"
#include "engine/model/engine_clock.hpp"
#include "http-edge/protocol/service_status.hpp"
#include "http-edge/server/edge_counters.hpp"
#include "storage/log/store.hpp"

namespace ordem::app {

// engine, log and store are null while the data is being read.
std::string metrics_text(const http_edge::edge_counters& edge, http_edge::service_state state,
                         const actors::gateway* engine, const storage::log* log, const storage::store_stats* store,
                         timestamp now, const clock_stats& clock);

}  // namespace ordem::app
