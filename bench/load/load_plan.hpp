// load_plan: the parameters of a run.
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
  std::string tls_ca;    // a file with the authorities that are trusted, PEM; empty: no TLS
  std::string api_key;   // sent as a bearer token; empty: none
  pid_t server_pid = 0;  // of the server whose CPU time is reported; 0: none
  scenario_plan workloads;
  unsigned connections = 64;
  unsigned threads = 1;  // each with its own io_context and its share of the connections; at most `connections`
  /// Open loop: when requests are due. nullopt: closed loop, each connection sends when it has received its last
  /// answer.
  std::optional<arrivals> open;
  /// Open loop: a request that finds no free connection for this long after it was due is not sent. nullopt: it waits.
  std::optional<std::chrono::nanoseconds> late_max;
  /// Whether the server may refuse a request because it is overloaded or beyond the tenant's bounds. Such answers are
  /// counted apart; otherwise they are wrong.
  bool takes_refusals = false;
  std::chrono::nanoseconds warmup = std::chrono::seconds(1);
  std::chrono::nanoseconds duration = std::chrono::seconds(5);
  /// How long the run waits after the measured time for answers and unsent requests; also the time limit for the
  /// preparation of all connections.
  std::chrono::nanoseconds patience = std::chrono::seconds(10);
  std::uint64_t seed = 0;  // of all that is random: a seed used twice on one data folder repeats the GUIDs
};

}  // namespace ordem::bench
