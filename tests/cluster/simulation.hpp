// A cluster in one thread and virtual time: three nodes, each a node_core with a copy of the log and a small engine on
// it, clients that write and read through any of them, and a model of the log and the network with their faults. All is
// drawn from a seed, so a seed repeats a schedule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cluster/protocol/protocol_rules.hpp"

namespace ordem::cluster::testing {

struct schedule_result {
  // The first thing that was wrong, or nullopt.
  std::optional<std::string> failure;
  std::uint64_t events = 0;
  std::uint64_t acknowledged = 0;  // writes
  std::uint64_t reads = 0;
  std::uint64_t epochs = 0;
  std::uint64_t dead_records = 0;
  std::uint64_t unknown_outcomes = 0;
  std::uint64_t barriers = 0;
  std::uint64_t releases = 0;
};

// Runs the schedule of that seed and checks it: every acknowledged write exactly once in the live records, versions
// gapless, log time never back, reads linearizable, each copy a prefix of the live records; and that the cluster works
// again after the last fault. Prints what happens to stderr if ORDEM_TRACE is set.
schedule_result run_schedule(std::uint64_t seed, const protocol_rules& rules = {});

}  // namespace ordem::cluster::testing
