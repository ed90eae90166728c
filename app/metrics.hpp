// The figures of all parts in the Prometheus text format.
#pragma once

#include <string>

#include "actors/gateway.hpp"
#include "http-edge/edge_counters.hpp"
#include "storage/store.hpp"

namespace ordem::app {

// engine and store may be null while the data is being read.
std::string metrics_text(const edge::edge_counters& edge, const actors::gateway* engine, const storage::store* store,
                         timestamp now);

}  // namespace ordem::app
