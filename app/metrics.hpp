// The figures of all parts in the Prometheus text format.
#pragma once

#include <string>

#include "actors/gateway.hpp"
#include "engine/engine_clock.hpp"
#include "http-edge/edge_counters.hpp"
#include "http-edge/service_status.hpp"
#include "storage/store.hpp"

namespace ordem::app {

// engine and store may be null while the data is being read.
std::string metrics_text(const edge::edge_counters& edge, edge::service_state state, const actors::gateway* engine,
                         const storage::store* store, timestamp now, const clock_figures& clock);

}  // namespace ordem::app
