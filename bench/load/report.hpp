// What a run measured, for people and for programs.
#pragma once

#include <iosfwd>

#include "bench/load/closed_loop.hpp"
#include "bench/load/latency_histogram.hpp"

namespace ordem::bench {

/// A few aligned lines.
void write_text(std::ostream& out, const load_plan& plan, const load_result& result);
/// One line, one JSON object. Latencies are in microseconds.
void write_json(std::ostream& out, const load_plan& plan, const load_result& result);

void write_fsync_text(std::ostream& out, const latency_histogram& latency);
void write_fsync_json(std::ostream& out, const latency_histogram& latency);

}  // namespace ordem::bench
