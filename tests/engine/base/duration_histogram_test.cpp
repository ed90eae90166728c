#include "engine/base/duration_histogram.hpp"

#include <catch2/catch.hpp>

namespace ordem {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::uint64_t, 3> bounds_us = {10, 100, 1'000};
using histogram = duration_histogram<bounds_us>;

// The bucket that a duration is counted in.
std::size_t bucket_of(std::chrono::steady_clock::duration took) {
  histogram durations;
  durations.add(took);
  std::size_t bucket = 0;
  while (durations.count(bucket) == 0) ++bucket;
  return bucket;
}

TEST_CASE("a duration is counted in the bucket with the first bound that is not below it") {
  static_assert(histogram::buckets == 4);
  const auto [took, bucket] = GENERATE(table<std::chrono::nanoseconds, std::size_t>(
      {{0ns, 0}, {10us, 0}, {10'999ns, 0}, {11us, 1}, {100us, 1}, {101us, 2}, {1ms, 2}, {1'001us, 3}, {1h, 3}}));
  CHECK(bucket_of(took) == bucket);
}

TEST_CASE("each duration is counted once, and all are added up") {
  histogram durations;
  for (const auto took : {5us, 7us, 50us, 2'000us}) durations.add(took);
  CHECK(durations.count(0) == 2);
  CHECK(durations.count(1) == 1);
  CHECK(durations.count(2) == 0);
  CHECK(durations.count(3) == 1);
  CHECK(durations.sum_us() == 2'062);
}

}  // namespace
}  // namespace ordem
