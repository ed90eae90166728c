#include "bench/load/latency_histogram.hpp"

#include <cmath>

namespace ordem::bench {

void latency_histogram::merge(const latency_histogram& other) noexcept {
  for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  ns_max_ = std::max(ns_max_, other.ns_max_);
}

std::chrono::nanoseconds latency_histogram::percentile(double percent) const noexcept {
  static_assert(index_of(0) == 0 && index_of(recorded_ns_max) == longer - 1);
  static_assert(upper_edge_ns_of(longer - 1) == recorded_ns_max);

  const double share = std::clamp(percent, 0.0, 100.0) / 100.0;
  const auto rank =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    seen += counts_[i];
    if (seen >= rank && i != longer) return std::min(std::chrono::nanoseconds(upper_edge_ns_of(i)), max());
  }
  return max();
}

std::chrono::nanoseconds latency_histogram::max() const noexcept {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(ns_max_));
}

std::vector<latency_histogram::bucket> latency_histogram::filled() const {
  std::vector<bucket> all;
  for (std::size_t i = 0; i < buckets; ++i) {
    if (counts_[i] > 0) all.push_back({.ns_max = i == longer ? ns_max_ : upper_edge_ns_of(i), .count = counts_[i]});
  }
  return all;
}

}  // namespace ordem::bench
