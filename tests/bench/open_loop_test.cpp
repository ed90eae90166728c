#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <thread>

#include "bench/load/load_run.hpp"
#include "tests/bench/stub_server.hpp"

namespace ordem::bench {
namespace {

// Stalls once, for `stall`, at the request with this number.
stub_server::reactor stalling_at(std::uint64_t number, std::chrono::milliseconds stall) {
  return [=](const request& asked, std::uint64_t before) {
    if (before == number) std::this_thread::sleep_for(stall);
    return creation(asked, before);
  };
}

TEST_CASE("a stall shows in the percentiles of an open loop, and hides in those of a closed one") {
  constexpr auto stall = std::chrono::milliseconds(300);
  const auto pattern = GENERATE(arrival_pattern::fixed, arrival_pattern::poisson);
  stub_server open_server(stalling_at(20, stall));
  auto plan = short_plan(open_server.port());
  plan.duration = std::chrono::milliseconds(500);
  plan.patience = std::chrono::seconds(20);
  plan.open = {.pattern = pattern, .rate_per_s = 400};
  const auto open = run_load(plan);
  CHECK(open.errors.total() == 0);
  CHECK(open.late.never_sent == 0);
  CHECK(open.latency().count() == open_server.requests());
  // 120 of the 200 requests came due during the stall, evenly, and waited for its end.
  CHECK(open.latency().percentile(99) > std::chrono::milliseconds(200));
  CHECK(open.latency().percentile(75) > std::chrono::milliseconds(50));
  CHECK(open.late.requests > 60);
  CHECK(open.late.queue_max > 60);
  CHECK(open.late.longest > std::chrono::milliseconds(200));
  CHECK(open.late.longest <= open.latency().max());

  stub_server closed_server(stalling_at(20, stall));
  plan.port = closed_server.port();
  plan.open.reset();
  const auto closed = run_load(plan);
  CHECK(closed.errors.total() == 0);
  CHECK(closed.latency().max() >= stall);
  CHECK(closed.latency().percentile(75) < std::chrono::milliseconds(50));  // one request saw the stall
  CHECK(closed.late.requests == 0);
  CHECK(closed_server.requests() > 20);
}

TEST_CASE("an open loop sends at its rate, not at the server's") {
  stub_server server([](const request& asked, std::uint64_t before) { return creation(asked, before); });
  auto plan = short_plan(server.port());
  plan.duration = std::chrono::milliseconds(200);
  plan.patience = std::chrono::seconds(20);
  plan.open = {.pattern = arrival_pattern::fixed, .rate_per_s = 100};
  const auto result = run_load(plan);
  CHECK(server.requests() == 20);
  CHECK(result.errors.total() == 0);
  CHECK(result.timer_lag.count() + result.late.requests <= 20);
  CHECK(result.busiest_thread_cpu > std::chrono::nanoseconds(0));  // although the thread ends before the time does
}

TEST_CASE("what is due and never sent counts with the time that it waited, and is no error") {
  stub_server server([](const request& asked, std::uint64_t before) {
    if (before == 0) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return creation(asked, before);
  });
  auto plan = short_plan(server.port());
  plan.duration = std::chrono::milliseconds(100);
  plan.patience = std::chrono::milliseconds(50);
  plan.open = {.pattern = arrival_pattern::fixed, .rate_per_s = 1000};
  const auto result = run_load(plan);
  CHECK(server.requests() == 1);
  CHECK(result.errors.unanswered == 1);  // the one that was sent
  CHECK(result.errors.total() == 1);
  CHECK(result.late.never_sent == 99);
  CHECK(result.latency().count() == 100);
  CHECK(result.latency().percentile(50) >= std::chrono::milliseconds(95));
}

TEST_CASE("the queue is reported while the server stalls") {
  stub_server server(stalling_at(20, std::chrono::milliseconds(900)));
  auto plan = short_plan(server.port());
  plan.duration = std::chrono::milliseconds(1000);
  plan.patience = std::chrono::seconds(20);
  plan.open = {.pattern = arrival_pattern::fixed, .rate_per_s = 200};
  std::uint64_t waiting_max = 0;
  const auto result = run_load(plan, [&](const progress& now) { waiting_max = std::max(waiting_max, now.waiting); });
  CHECK(waiting_max > 20);
  CHECK(result.late.queue_max >= waiting_max);
  CHECK(server.requests() == 200);
}

}  // namespace
}  // namespace ordem::bench
