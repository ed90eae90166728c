// The closed loop: a fixed number of keep-alive connections, each of which sends its next request when it has the
// answer to its last one.
//
// What that measures, and what not: the rate is what the server sustains with so many requests under way. The latency
// is that of a client that waits, so a server that stalls is asked less while it stalls, and the percentiles flatter
// it, compared with clients that come at their own pace. The time that an answer waits in the generator for its turn
// counts as latency too; look at the generator's CPU before blaming the server.
//
// Counting: `answers` (and from them the rate) are those that arrived within the measured time. Latency is recorded
// for requests that were sent within it, whenever they were answered, so that a stall at the end is not lost. Every
// answer is checked, those of the warm-up too.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/load/conversation.hpp"
#include "bench/load/latency_histogram.hpp"

namespace ordem::bench {

struct load_plan {
  std::string host = "127.0.0.1";  // an IP address
  std::uint16_t port = 8080;
  scenario what = scenario::create;
  unsigned connections = 64;
  unsigned threads = 1;  // each with its own io_context and its share of the connections; at most `connections`
  /// Requests a second of all connections together, at most; 0: as many as are answered. Each connection sends at its
  /// own even pace, and late where its last answer was late.
  double rate_max = 0;
  std::chrono::nanoseconds warmup = std::chrono::seconds(1);
  std::chrono::nanoseconds duration = std::chrono::seconds(5);
  /// How long answers may stay out after the measured time before they count as unanswered; also how long each order
  /// that `get` is to read may take to be created.
  std::chrono::nanoseconds patience = std::chrono::seconds(10);
  std::size_t body_items = 1;
  std::uint64_t seed = 0;  // of the GUIDs: a seed used twice on one data folder repeats them
};

struct error_counts {
  std::uint64_t wrong_status = 0;
  std::uint64_t wrong_body = 0;
  std::uint64_t repeated_order = 0;  // an order id that came with two creates
  std::uint64_t broken = 0;          // connections lost, or no longer HTTP; they are not opened again
  std::uint64_t unanswered = 0;

  [[nodiscard]] std::uint64_t total() const noexcept {
    return wrong_status + wrong_body + repeated_order + broken + unanswered;
  }
  void add(const error_counts& other) noexcept;
};

struct load_result {
  std::uint64_t answers = 0;            // whole ones, right or wrong, that arrived within the measured time
  std::uint64_t answer_body_bytes = 0;  // theirs
  latency_histogram latency;
  error_counts errors;
  std::string first_complaint;  // what the first error was, for a human; empty without errors
  std::size_t request_bytes = 0;
  std::size_t request_body_bytes = 0;
  std::chrono::nanoseconds cpu{};  // of this process, within the measured time, user and system
};

/// Connects everything, then loads the server for warmup + duration, and returns at the latest `patience` later.
/// Blocks. Keeps 16 bytes for each create, to find repeated orders. Throws std::exception if it cannot connect or, for
/// `get`, cannot create the orders to read.
[[nodiscard]] load_result run_closed_loop(const load_plan& plan);

}  // namespace ordem::bench
