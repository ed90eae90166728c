#include "bench/load/arrivals.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

namespace ordem::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr arrivals fixed_hundred{.pattern = arrival_pattern::fixed, .rate_per_s = 100};

std::vector<nanoseconds> times_of(arrival_schedule schedule, std::size_t count) {
  std::vector<nanoseconds> times;
  for (; times.size() < count; schedule.advance()) times.push_back(schedule.next());
  return times;
}

TEST_CASE("fixed arrivals have even gaps, and do not drift") {
  CHECK(times_of({fixed_hundred, 0, 1, 1}, 4) ==
        std::vector<nanoseconds>{milliseconds(0), milliseconds(10), milliseconds(20), milliseconds(30)});
  const arrivals thirds{.pattern = arrival_pattern::fixed, .rate_per_s = 3};
  CHECK(times_of({thirds, 0, 1, 1}, 300'001).back() == seconds(100'000));
}

TEST_CASE("the shares of fixed arrivals are the whole, dealt out in turn") {
  const auto whole = times_of({fixed_hundred, 0, 1, 1}, 30);
  for (unsigned share = 0; share < 3; ++share) {
    const auto part = times_of({fixed_hundred, share, 3, 1}, 10);
    for (std::size_t i = 0; i < part.size(); ++i) CHECK(part[i] == whole[i * 3 + share]);
  }
}

TEST_CASE("gaps of Poisson arrivals are exponential and independent") {
  constexpr std::size_t count = 100'000;
  const auto seed = GENERATE(1U, 2U, 3U);
  const auto shares = GENERATE(1U, 4U);
  CAPTURE(seed, shares);
  const auto times = times_of({{.pattern = arrival_pattern::poisson, .rate_per_s = 1000}, 0, shares, seed}, count);
  const double mean_ns = 1e6 * shares;

  std::vector<double> gaps;  // in means
  nanoseconds before{};
  for (const auto time : times) {
    gaps.push_back(static_cast<double>((time - before).count()) / mean_ns);
    before = time;
  }
  double sum = 0;
  double squares = 0;
  double neighbours = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += gaps[i];
    squares += (gaps[i] - 1) * (gaps[i] - 1);
    if (i > 0) neighbours += (gaps[i] - 1) * (gaps[i - 1] - 1);
  }
  // Five standard deviations of each estimate: mean 1, variance 1, no correlation of neighbours.
  CHECK(sum / count == Approx(1).margin(0.016));
  CHECK(squares / count == Approx(1).margin(0.045));
  CHECK(neighbours / count == Approx(0).margin(0.016));

  // Kolmogorov and Smirnov: the largest distance from 1 - e^-x, at a level of 1 in 1000.
  std::ranges::sort(gaps);
  double distance = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double wanted = 1 - std::exp(-gaps[i]);
    distance = std::max({distance, std::abs(wanted - static_cast<double>(i) / count),
                         std::abs(wanted - static_cast<double>(i + 1) / count)});
  }
  CHECK(distance < 1.95 / std::sqrt(static_cast<double>(count)));
}

TEST_CASE("a seed names the Poisson arrivals, and each share has its own") {
  const arrivals poisson{.pattern = arrival_pattern::poisson, .rate_per_s = 50};
  const auto times = times_of({poisson, 0, 2, 7}, 100);
  CHECK(times_of({poisson, 0, 2, 7}, 100) == times);
  CHECK(times_of({poisson, 1, 2, 7}, 100) != times);
  CHECK(times_of({poisson, 0, 2, 8}, 100) != times);
}

TEST_CASE("arrivals without a rate, and shares that there are not, are refused") {
  CHECK_THROWS(arrival_schedule({.pattern = arrival_pattern::fixed, .rate_per_s = 0}, 0, 1, 1));
  CHECK_THROWS(arrival_schedule({.pattern = arrival_pattern::fixed, .rate_per_s = -1}, 0, 1, 1));
  CHECK_THROWS(arrival_schedule(fixed_hundred, 2, 2, 1));
}

TEST_CASE("requests that are taken in time are not late") {
  due_requests due({fixed_hundred, 0, 1, 1}, seconds(0), milliseconds(35));
  CHECK(due.take(nanoseconds(0)) == milliseconds(0));
  CHECK(due.take(milliseconds(1)) == milliseconds(10));  // another connection, which waits for it
  CHECK(due.take(milliseconds(20)) == milliseconds(20));
  CHECK(due.take(milliseconds(21)) == milliseconds(30));
  CHECK(due.take(milliseconds(22)) == std::nullopt);
  CHECK(due.late().requests == 0);
  CHECK(due.late().queue_max == 0);
  CHECK(due.late().never_sent == 0);
}

TEST_CASE("a stall makes the requests late that were due in it, from their own times on") {
  due_requests due({fixed_hundred, 0, 1, 1}, seconds(0), seconds(1));
  CHECK(due.take(nanoseconds(0)) == milliseconds(0));
  // The only connection is busy until 45 ms. Due by then: 10, 20, 30, 40.
  CHECK(due.waiting(milliseconds(45)) == 4);
  CHECK(due.take(milliseconds(45)) == milliseconds(10));
  CHECK(due.take(milliseconds(46)) == milliseconds(20));
  CHECK(due.take(milliseconds(47)) == milliseconds(30));
  CHECK(due.take(milliseconds(48)) == milliseconds(40));
  CHECK(due.take(milliseconds(49)) == milliseconds(50));  // caught up
  CHECK(due.late().requests == 4);
  CHECK(due.late().queue_max == 4);
  CHECK(due.late().longest == milliseconds(35));
}

TEST_CASE("a server that is slower than the arrivals has a queue that grows until the end") {
  due_requests due({fixed_hundred, 0, 1, 1}, seconds(0), seconds(1));
  nanoseconds now{};
  std::uint64_t sent = 0;
  nanoseconds longest_latency{};
  for (; now < seconds(1); now += milliseconds(20)) {  // each answer takes 20 ms, twice the gap
    const auto time = due.take(now);
    REQUIRE(time);
    ++sent;
    longest_latency = std::max(longest_latency, now + milliseconds(20) - *time);
  }
  CHECK(sent == 50);
  CHECK(longest_latency == milliseconds(510));  // and not the 20 ms that a closed loop would show
  CHECK(due.late().queue_max == 50);
  CHECK(due.waiting(now) == 50);
  std::uint64_t dropped = 0;
  while (due.drop()) ++dropped;
  CHECK(dropped == 50);
  CHECK(due.late().never_sent == 50);
  CHECK(due.late().requests == 49);
  CHECK(due.waiting(now) == 0);
}

TEST_CASE("what is late in the warm-up is sent, and not counted") {
  due_requests due({fixed_hundred, 0, 1, 1}, milliseconds(20), seconds(1));
  CHECK(due.take(milliseconds(35)) == milliseconds(0));
  CHECK(due.take(milliseconds(35)) == milliseconds(10));
  CHECK(due.late().requests == 0);
  CHECK(due.take(milliseconds(35)) == milliseconds(20));
  CHECK(due.late().requests == 1);
  CHECK(due.late().longest == milliseconds(15));
}

TEST_CASE("the lateness of threads is added up, the longest stays the longest") {
  lateness sum{.requests = 1, .longest = milliseconds(5), .queue_max = 3, .never_sent = 0};
  sum.merge({.requests = 2, .longest = milliseconds(4), .queue_max = 2, .never_sent = 7});
  CHECK(sum.requests == 3);
  CHECK(sum.longest == milliseconds(5));
  CHECK(sum.queue_max == 5);
  CHECK(sum.never_sent == 7);
}

arrivals surging(arrival_pattern pattern) {
  return {.pattern = pattern,
          .rate_per_s = 100,
          .surge = surge{.rate_per_s = 1000, .from = milliseconds(100), .until = milliseconds(200)}};
}

TEST_CASE("in a surge the gaps are shorter, and afterwards as before") {
  const auto times = times_of({surging(arrival_pattern::fixed), 0, 1, 1}, 115);
  CHECK(times[9] == milliseconds(90));
  CHECK(times[10] == milliseconds(100));
  CHECK(times[11] == milliseconds(101));
  CHECK(times[110] == milliseconds(200));
  CHECK(times[111] == milliseconds(210));
  const auto part = times_of({surging(arrival_pattern::fixed), 1, 3, 1}, 38);
  for (std::size_t i = 0; i < part.size(); ++i) CHECK(part[i] == times[i * 3 + 1]);
}

TEST_CASE("a surge of Poisson arrivals has its rate") {
  auto plan = surging(arrival_pattern::poisson);
  plan.surge->from = seconds(100);
  plan.surge->until = seconds(200);
  const auto times = times_of({plan, 0, 1, 7}, 130'000);
  const auto due_by = [&](nanoseconds time) { return std::ranges::lower_bound(times, time) - times.begin(); };
  CHECK(due_by(seconds(100)) == Approx(10'000).epsilon(0.05));
  CHECK(due_by(seconds(200)) - due_by(seconds(100)) == Approx(100'000).epsilon(0.02));
  CHECK(due_by(seconds(300)) - due_by(seconds(200)) == Approx(10'000).epsilon(0.05));
}

TEST_CASE("a surge without a rate or without time is refused") {
  auto plan = surging(arrival_pattern::fixed);
  plan.surge->rate_per_s = 0;
  CHECK_THROWS_AS(arrival_schedule(plan, 0, 1, 1), std::invalid_argument);
  plan = surging(arrival_pattern::fixed);
  plan.surge->until = plan.surge->from;
  CHECK_THROWS_AS(arrival_schedule(plan, 0, 1, 1), std::invalid_argument);
}

TEST_CASE("requests that are too late are dropped one by one, and others stay") {
  due_requests due({fixed_hundred, 0, 1, 1}, milliseconds(10), milliseconds(80));
  CHECK(due.drop_late(milliseconds(35), milliseconds(10)) == milliseconds(0));
  CHECK(due.drop_late(milliseconds(35), milliseconds(10)) == milliseconds(10));
  CHECK(due.drop_late(milliseconds(35), milliseconds(10)) == milliseconds(20));
  CHECK(due.drop_late(milliseconds(40), milliseconds(10)) == std::nullopt);  // due for 10 ms: not more than allowed
  CHECK(due.waiting(milliseconds(40)) == 2);
  CHECK(due.take(milliseconds(40)) == milliseconds(30));
  CHECK(due.late().given_up == 2);  // counted from 10 ms on
  while (due.take(milliseconds(80))) continue;
  CHECK(due.drop_late(seconds(1), milliseconds(10)) == std::nullopt);
}

}  // namespace
}  // namespace ordem::bench
