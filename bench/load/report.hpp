// What a run measured, for people and for programs.
#pragma once

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/latency_histogram.hpp"
#include "bench/load/load_plan.hpp"
#include "bench/load/load_result.hpp"
#include "bench/load/load_run.hpp"

namespace ordem::bench {

/// What the generator can't know of the run, such as the server's durability level: names and values from the command
/// line.
using run_notes = std::vector<std::pair<std::string, std::string>>;

/// A few aligned lines.
void write_text(std::ostream& out, const load_plan& plan, const load_result& result, const run_notes& notes);
/// One line, one JSON object; bench/README.md explains its members. Latencies are in microseconds, histograms in
/// nanoseconds.
void write_json(std::ostream& out, const load_plan& plan, const load_result& result, const run_notes& notes);

void write_fsync_text(std::ostream& out, const latency_histogram& latency);
void write_fsync_json(std::ostream& out, const latency_histogram& latency);

/// One line without its end, for a terminal.
[[nodiscard]] std::string progress_line(const load_plan& plan, const progress& before, const progress& now);

}  // namespace ordem::bench
