// latency_histogram: how often each latency occurred, in buckets of bounded relative width.
//
// A value object without locks: each load thread fills its own, and they are merged after the run.
//
// Buckets are log-linear, as in HdrHistogram. Below 256 ns each nanosecond has its own bucket; above, every
// doubling is cut into 128 equal buckets, so that a bucket is at most 1/128 (0.8 %) as wide as the values it holds:
//
//   value in ns        [0, 256)   [256, 512)   [512, 1024)   ...   [2^39, 2^40)
//   bucket width in ns     1           2             4                 2^32
//   bucket index        0..255     256..383      384..511          4224..4351      4352: everything longer
//
// index = doubling * 128 + (value >> doubling), where doubling = max(0, bit_width(value) - 8).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ordem::bench {

class latency_histogram {
 public:
  /// Longest latency that the buckets can distinguish, about 18 minutes. A longer one counts as the longest of them.
  static constexpr std::uint64_t recorded_ns_max = (std::uint64_t{1} << 40) - 1;

  /// Counts one latency. A negative one counts as 0.
  void record(std::chrono::nanoseconds latency) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
    ++counts_[ns <= recorded_ns_max ? index_of(ns) : longer];
    ++count_;
    ns_max_ = std::max(ns_max_, ns);
  }

  void merge(const latency_histogram& other) noexcept;

  /// The latency that a share of `percent` (0..100) of the recorded ones did not exceed: the upper edge of the bucket
  /// that holds it, which is at most 0.8 % above the true value. 0 when nothing was recorded.
  [[nodiscard]] std::chrono::nanoseconds percentile(double percent) const noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// The longest latency recorded, exact; 0 when nothing was recorded.
  [[nodiscard]] std::chrono::nanoseconds max() const noexcept;

  struct bucket {
    std::uint64_t ns_max = 0;  // the longest latency that belongs to it; of the last one the longest recorded
    std::uint64_t count = 0;
  };
  /// The buckets that hold something, in ascending order.
  [[nodiscard]] std::vector<bucket> filled() const;

 private:
  static constexpr unsigned subdivision_bits = 7;
  static constexpr std::size_t subdivisions = std::size_t{1} << subdivision_bits;

  static constexpr unsigned doubling_of(std::uint64_t ns) noexcept {
    const auto bits = static_cast<unsigned>(std::bit_width(ns));
    return bits > subdivision_bits + 1 ? bits - (subdivision_bits + 1) : 0;
  }
  static constexpr std::size_t index_of(std::uint64_t ns) noexcept {
    const unsigned doubling = doubling_of(ns);
    return doubling * subdivisions + static_cast<std::size_t>(ns >> doubling);
  }
  static constexpr std::uint64_t upper_edge_ns_of(std::size_t index) noexcept {
    const std::size_t doubling = index < 2 * subdivisions ? 0 : index / subdivisions - 1;
    return ((std::uint64_t{index} - doubling * subdivisions + 1) << doubling) - 1;
  }

  static constexpr std::size_t longer = (40 - subdivision_bits + 1) * subdivisions;  // index of the last bucket
  static constexpr std::size_t buckets = longer + 1;

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t ns_max_ = 0;
};

}  // namespace ordem::bench
