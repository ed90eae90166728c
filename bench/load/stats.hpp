// What the text and the JSON of a run have in common: numbers derived from it, and how they are written.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <iomanip>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include "bench/load/load_plan.hpp"
#include "bench/load/load_result.hpp"

namespace ordem::bench {

/// As in "p99_9".
struct named_percentile {
  double percent = 0;
  std::string_view name;
};
inline constexpr std::array<named_percentile, 5> reported_percentiles{
    {{50, "p50"}, {90, "p90"}, {99, "p99"}, {99.9, "p99_9"}, {99.99, "p99_99"}}};

inline double in_seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

inline std::string fixed(double number, int decimals) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(decimals) << number;
  return text.str();
}

inline unsigned cores() {
  return std::max(1U, std::thread::hardware_concurrency());
}

inline double mean(std::uint64_t sum, std::uint64_t count) {
  return count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count);
}

inline double rate_per_s(const load_plan& plan, const load_result& result) {
  return static_cast<double>(result.answers) / in_seconds(plan.duration);
}

inline double orders_per_s(const load_plan& plan, const load_result& result) {
  return static_cast<double>(result.orders) / in_seconds(plan.duration);
}

/// The share of repeats among the answered creates, updates and repeats: the hit rate of the GUID lookup.
inline double key_hit_share(const load_result& result) {
  const auto count = [&result](request_kind kind) { return result.answers_by_kind[static_cast<std::size_t>(kind)]; };
  const auto repeats = count(request_kind::repeat);
  return mean(repeats,
              repeats + count(request_kind::create) + count(request_kind::update) + count(request_kind::stale_update));
}

inline std::string_view name_of(scenario what) {
  return scenario_names[static_cast<std::size_t>(what)];
}

inline std::string_view name_of(arrival_pattern pattern) {
  return pattern == arrival_pattern::fixed ? "fixed" : "poisson";
}

}  // namespace ordem::bench
