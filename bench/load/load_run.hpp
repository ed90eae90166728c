// load_run: a fixed number of keep-alive connections loads a server.
//
// Closed loop: each connection sends its next request when it has the answer to its last one. The rate is then what the
// server sustains with so many requests under way. The latency is that of a client that waits, so a server
// receives fewer requests while it stalls, and the percentiles are better than those of independent clients.
//
// Open loop: requests are due at times that are fixed in advance (arrivals.hpp), each is sent by the connection of its
// thread that is free first, and its latency counts from when it was due. So a stall shows in every request that came
// due during it.
//
// In both, the time that an answer waits in the generator for its turn counts as latency; look at the generator's CPU
// before blaming the server.
#pragma once

#include <functional>
#include <string>

#include "bench/load/load_plan.hpp"
#include "bench/load/load_result.hpp"

namespace ordem::bench {

/// The progress of a run.
struct progress {
  std::chrono::nanoseconds since_begin{};  // of the measured time; negative in the warm-up
  std::uint64_t answers = 0;               // since the warm-up began
  std::uint64_t errors = 0;
  std::uint64_t waiting = 0;  // open loop: due and not sent
};

/// Called on the main thread a few times a second while the load runs.
using progress_listener = std::function<void(const progress&)>;

/// Connects and prepares everything, then loads the server for warmup + duration, and returns at the latest `patience`
/// later. Blocks. Keeps 16 bytes for each create, to find repeated orders. Throws std::exception if it cannot connect
/// or prepare.
[[nodiscard]] load_result run_load(const load_plan& plan, const progress_listener& listener = {});

}  // namespace ordem::bench
