// load_result: the counts and latencies of a run, or of one thread's share of it.
//
// A value without locks: each load thread fills its own, and they are merged after the run.
//
// Counting: answers (and from them rates) are those that arrived within the measured time. Latency is recorded for
// requests that were to be sent within it, whenever they were answered, so that a stall at the end is not lost. Errors
// are those of the whole run, the warm-up too.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/load/arrivals.hpp"
#include "bench/load/latency_histogram.hpp"
#include "bench/load/surge_stats.hpp"
#include "bench/load/workload.hpp"

namespace ordem::bench {

struct error_counts {
  std::uint64_t wrong_status = 0;
  std::uint64_t wrong_header = 0;
  std::uint64_t wrong_body = 0;
  std::uint64_t repeated_order = 0;  // an order id that came with two creates
  std::uint64_t version_fault = 0;   // a version of the hot order that was left out, or answered twice
  std::uint64_t broken = 0;          // connections lost, or no longer HTTP; they are not opened again
  std::uint64_t unanswered = 0;
  std::uint64_t unconnected = 0;  // not opened again after an answer that closed them; nothing was sent

  [[nodiscard]] std::uint64_t total() const noexcept {
    return wrong_status + wrong_header + wrong_body + repeated_order + version_fault + broken + unanswered +
           unconnected;
  }
  void merge(const error_counts& other) noexcept;
};

/// One second of the measured time; the last one may be shorter.
struct second_stats {
  std::uint64_t answers = 0;
  std::chrono::nanoseconds latency_max{};  // of the answers that came in it
};

struct load_result {
  std::uint64_t answers = 0;             // whole ones, right or wrong
  std::uint64_t orders = 0;              // that these were about: more than them with batches
  std::uint64_t stale = 0;               // of these, refused as out of date, and rightly so
  std::uint64_t refused = 0;             // as overloaded, where the plan allows it; not part of the answers
  std::uint64_t request_bytes = 0;       // of the requests of these
  std::uint64_t request_body_bytes = 0;  // of which bodies
  std::uint64_t answer_body_bytes = 0;
  std::array<std::uint64_t, request_kinds> answers_by_kind{};
  std::array<latency_histogram, request_kinds> latency_by_kind;
  std::vector<second_stats> by_second;
  error_counts errors;
  std::string first_complaint;       // what the first error was, for a human; empty without errors
  lateness late;                     // open loop
  latency_histogram unsent_latency;  // open loop: how long what was never sent had waited at the end
  latency_histogram timer_lag;       // open loop: how late the generator sent what a free connection waited for
  surge_stats surge;                 // open loop with a surge
  latency_histogram refusal_time;    // of what was refused, since it was sent
  findings found;

  // Of the whole run only.
  std::chrono::nanoseconds cpu{};                 // of this process, within the measured time, user and system
  std::chrono::nanoseconds server_cpu{};          // of the server likewise, if the plan names it
  std::chrono::nanoseconds busiest_thread_cpu{};  // of the one load thread that took most of it
  bool shares_machine = false;                    // with the server

  void merge(const load_result& other);

  /// Of all requests, including those that were never sent.
  [[nodiscard]] latency_histogram latency() const;
};

/// Counts the errors that show only across threads: repeated orders, missing versions.
void check_findings(load_result& whole);

}  // namespace ordem::bench
