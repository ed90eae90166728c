// Counts the answered requests of one I/O thread, by route, method, status and problem. Only that thread adds, so a
// count needs no atomic addition; every thread reads. Owned by edge_counters, which adds up those of all threads.
#pragma once

#include <array>
#include <atomic>
#include <boost/beast/http/verb.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/duration_histogram.hpp"
#include "engine/codec/problem.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

// The buckets of the metric ordem_http_response_seconds.
inline constexpr std::array<std::uint64_t, 11> response_us_bounds = {50,    100,    250,    500,     1'000,    2'500,
                                                                     5'000, 10'000, 50'000, 250'000, 1'000'000};

// A request as it was answered.
struct answered_request {
  resource to = resource::unknown;
  boost::beast::http::verb method = boost::beast::http::verb::unknown;
  unsigned status = 200;
  std::optional<codec::problem> problem = std::nullopt;  // the error that the response is
  std::chrono::steady_clock::duration took{};            // from the complete request to the rendered response
};

class alignas(64) request_counts {  // a thread's counts share no cache line with those of another
 public:
  // The methods that are told apart, as in metrics. The last one stands for all others.
  static constexpr std::array<std::string_view, 7> methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "other"};
  // The statuses that the server answers with. Any other one is counted as 0.
  static constexpr std::array<unsigned, 25> statuses = {0,   200, 201, 202, 204, 304, 308, 400, 401, 403, 404, 405, 408,
                                                        409, 410, 412, 413, 415, 417, 421, 422, 428, 429, 431, 503};

  void add(const answered_request& what) noexcept;

  // Return counts. REQUIRES: the index is one of the lists above. Thread-safe.
  std::uint64_t count(resource to, std::size_t method, std::size_t status) const noexcept {
    return of(to).requests[method][status].load(std::memory_order_relaxed);
  }
  std::uint64_t count(codec::problem which) const noexcept {
    return problems_[static_cast<std::size_t>(which)].load(std::memory_order_relaxed);
  }
  const duration_histogram<response_us_bounds>& durations(resource to) const noexcept { return of(to).durations; }

 private:
  using counter = std::atomic<std::uint64_t>;

  struct of_route {
    std::array<std::array<counter, statuses.size()>, methods.size()> requests{};
    duration_histogram<response_us_bounds> durations;
  };

  const of_route& of(resource to) const noexcept { return routes_[static_cast<std::size_t>(to)]; }

  std::array<of_route, resource_count> routes_;
  std::array<counter, codec::problem_count> problems_{};
};

}  // namespace ordem::http_edge
