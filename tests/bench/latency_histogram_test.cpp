#include "bench/load/latency_histogram.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace ordem::bench {
namespace {

using std::chrono::nanoseconds;

constexpr double error_max = 1.0 / 128;

nanoseconds of(std::uint64_t ns) {
  return nanoseconds(static_cast<std::int64_t>(ns));
}

// What the histogram says about `value` once a longer one keeps it from being the exact maximum.
std::uint64_t reported(std::uint64_t value) {
  latency_histogram histogram;
  histogram.record(of(value));
  histogram.record(of(std::uint64_t{1} << 50));
  return static_cast<std::uint64_t>(histogram.percentile(50).count());
}

TEST_CASE("an empty histogram reports nothing") {
  const latency_histogram histogram;
  CHECK(histogram.count() == 0);
  CHECK(histogram.max() == nanoseconds(0));
  CHECK(histogram.percentile(0) == nanoseconds(0));
  CHECK(histogram.percentile(99.9) == nanoseconds(0));
}

TEST_CASE("latencies below 256 ns are exact") {
  for (std::uint64_t value = 0; value < 256; ++value) CHECK(reported(value) == value);
}

TEST_CASE("a latency is never reported as shorter, and at most a 128th longer") {
  for (unsigned doubling = 8; doubling < 40; ++doubling) {
    const std::uint64_t power = std::uint64_t{1} << doubling;
    for (const std::uint64_t value :
         {power - 1, power, power + 1, power + power / 3, power + power / 2, 2 * power - 1}) {
      CAPTURE(value);
      CHECK(reported(value) >= value);
      CHECK(static_cast<double>(reported(value)) <= static_cast<double>(value) * (1 + error_max));
    }
  }
}

TEST_CASE("percentiles agree with a sorted list") {
  const auto seed = GENERATE(1U, 2U, 3U);
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> latency_ns(13, 1.5);
  std::vector<std::uint64_t> sorted;
  latency_histogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    sorted.push_back(static_cast<std::uint64_t>(latency_ns(random)));
    histogram.record(of(sorted.back()));
  }
  std::ranges::sort(sorted);

  for (const double percent : {0.0, 1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    CAPTURE(percent);
    const auto rank = std::max(1.0, std::ceil(percent / 100 * static_cast<double>(sorted.size())));
    const auto truth = static_cast<double>(sorted[static_cast<std::size_t>(rank) - 1]);
    const auto got = static_cast<double>(histogram.percentile(percent).count());
    CHECK(got >= truth);
    CHECK(got <= truth * (1 + error_max));
  }
  CHECK(histogram.percentile(100) == of(sorted.back()));
  CHECK(histogram.max() == of(sorted.back()));
}

TEST_CASE("merging is the same as recording everything in one") {
  latency_histogram odd;
  latency_histogram even;
  latency_histogram all;
  for (std::uint64_t i = 1; i <= 5'000; ++i) {
    (i % 2 == 0 ? even : odd).record(of(i * i));
    all.record(of(i * i));
  }
  odd.merge(even);
  CHECK(odd.count() == all.count());
  CHECK(odd.max() == all.max());
  for (const double percent : {1.0, 25.0, 50.0, 75.0, 99.0, 100.0})
    CHECK(odd.percentile(percent) == all.percentile(percent));
}

TEST_CASE("latencies outside the range are kept at its edges, and the maximum stays exact") {
  latency_histogram histogram;
  histogram.record(nanoseconds(-5));
  CHECK(histogram.percentile(100) == nanoseconds(0));
  const auto day = std::chrono::hours(24);
  histogram.record(day);
  CHECK(histogram.count() == 2);
  CHECK(histogram.max() == day);
  CHECK(histogram.percentile(100) == day);
  CHECK(histogram.percentile(50) == nanoseconds(0));
}

TEST_CASE("the filled buckets are all that was recorded, in order") {
  latency_histogram histogram;
  CHECK(histogram.filled().empty());
  for (const std::uint64_t value : {7U, 7U, 1000U, 100U}) histogram.record(of(value));
  const auto day = std::chrono::hours(24);
  histogram.record(day);
  const auto filled = histogram.filled();
  REQUIRE(filled.size() == 4);
  CHECK(filled[0].ns_max == 7);
  CHECK(filled[0].count == 2);
  CHECK(filled[1].ns_max == 100);
  CHECK(filled[2].ns_max >= 1000);
  CHECK(of(filled[3].ns_max) == day);
  CHECK(filled[3].count == 1);
}

}  // namespace
}  // namespace ordem::bench
