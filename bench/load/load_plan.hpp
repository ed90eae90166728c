// load_plan: what a run is to do.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "bench/load/arrivals.hpp"
#include "bench/load/scenario.hpp"

namespace ordem::bench {

struct load_plan {
  std::string host = "127.0.0.1";  // an IP address
  std::uint16_t port = 8080;
  pid_t server_pid = 0;  // of the server, if what it uses of the cores is to be told; 0: it is not
  scenario_plan workloads;
  unsigned connections = 64;
  unsigned threads = 1;  // each with its own io_context and its share of the connections; at most `connections`
  /// Open loop: when requests are to be sent. Nothing: closed loop, each connection sends when it has its last answer.
  std::optional<arrivals> open;
  std::chrono::nanoseconds warmup = std::chrono::seconds(1);
  std::chrono::nanoseconds duration = std::chrono::seconds(5);
  /// How long answers may stay out, and requests unsent, after the measured time before the run is given up; also how
  /// long the preparation of all connections may take.
  std::chrono::nanoseconds patience = std::chrono::seconds(10);
  std::uint64_t seed = 0;  // of all that is random: a seed used twice on one data folder repeats the GUIDs
};

}  // namespace ordem::bench
