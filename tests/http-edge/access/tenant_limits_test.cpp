#include "http-edge/access/tenant_limits.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace ordem::http_edge {
namespace {

using namespace std::chrono_literals;

// The limits with a manual clock.
struct limited {
  explicit limited(tenant_settings settings) : limits(settings) {}

  tenant_limits limits;
  tenant_limits::time_point now{1h};

  std::optional<tenant_refusal> ask(std::string_view tenant) {
    const auto admitted = limits.admit(tenant, now);
    return admitted ? std::nullopt : std::optional(admitted.error());
  }
  // Returns how many of many requests at this moment are admitted.
  int admitted_of(int count, std::string_view tenant) {
    int admitted = 0;
    for (int i = 0; i < count; ++i) admitted += ask(tenant) ? 0 : 1;
    return admitted;
  }
};

TEST_CASE("without bounds every request is admitted, and nothing is counted") {
  limited with({});
  CHECK(with.admitted_of(10'000, "a") == 10'000);
  CHECK_FALSE(with.limits.is_active());
}

TEST_CASE("a tenant has a burst of one second, then its rate") {
  limited with({.rate = 10});
  CHECK(with.admitted_of(20, "a") == 10);
  CHECK(with.ask("a") == tenant_refusal::over_rate);
  with.now += 99ms;
  CHECK(with.ask("a"));
  with.now += 1ms;
  CHECK_FALSE(with.ask("a"));
  CHECK(with.ask("a"));
  with.now += 1s;
  CHECK(with.admitted_of(20, "a") == 10);
  with.now += 24h;
  CHECK(with.admitted_of(20, "a") == 10);
}

TEST_CASE("refused requests do not use up the rate") {
  limited with({.rate = 1});
  CHECK(with.admitted_of(1'000, "a") == 1);
  with.now += 1s;
  CHECK_FALSE(with.ask("a"));
}

TEST_CASE("the greatest rate is met") {
  limited with({.rate = tenant_settings::rate_max});
  CHECK(with.admitted_of(1'000, "a") == 1'000);
  const auto full_second = static_cast<int>(tenant_settings::rate_max);
  with.now += 2s;
  CHECK(with.admitted_of(full_second + 10, "a") == full_second);
}

TEST_CASE("one tenant's flood leaves the rate of another as it is") {
  limited with({.rate = 5});
  CHECK(with.admitted_of(1'000, "loud") == 5);
  CHECK(with.admitted_of(5, "quiet") == 5);
  CHECK(with.admitted_of(5, "") == 5);
}

TEST_CASE("requests in flight are bounded, and a place is free again when its permit ends") {
  limited with({.in_flight_max = 2});
  auto first = with.limits.admit("a", with.now);
  const auto second = with.limits.admit("a", with.now);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(with.ask("a") == tenant_refusal::over_in_flight);
  CHECK_FALSE(with.ask("b"));
  first->release_all();
  CHECK_FALSE(with.ask("a"));  // its permit ends at once
  const tenant_permit moved = std::move(*with.limits.admit("a", with.now));
  CHECK(with.ask("a") == tenant_refusal::over_in_flight);
}

TEST_CASE("a request without a place in flight keeps its token, and one without a token its place") {
  limited with({.rate = 2, .in_flight_max = 1});
  {
    const auto held = with.limits.admit("a", with.now);
    REQUIRE(held);
    CHECK(with.ask("a") == tenant_refusal::over_in_flight);
  }
  CHECK_FALSE(with.ask("a"));
  CHECK(with.ask("a") == tenant_refusal::over_rate);
  with.now += 1s;
  CHECK_FALSE(with.ask("a"));
}

TEST_CASE("lines of a batch take tokens and places, and are told how long to wait") {
  limited with({.rate = 4, .in_flight_max = 2});
  auto batch = with.limits.admit("a", with.now);
  REQUIRE(batch);
  batch->release_all();
  CHECK(batch->begin_line(with.now));
  CHECK(batch->begin_line(with.now));
  CHECK_FALSE(batch->begin_line(with.now));  // two lines are in flight
  batch->end_line();
  CHECK(batch->begin_line(with.now));
  batch->end_line();
  batch->end_line();
  const auto begun = batch->begin_line(with.now);  // the fifth token
  REQUIRE_FALSE(begun);
  CHECK(begun.error() == 250ms);
  with.now += begun.error();
  CHECK(batch->begin_line(with.now));
}

TEST_CASE("a line that did not come gives its token and its place back") {
  limited with({.rate = 2, .in_flight_max = 1});
  auto batch = with.limits.admit("a", with.now);
  REQUIRE(batch);
  batch->release_all();
  for (int i = 0; i < 5; ++i) {
    REQUIRE(batch->begin_line(with.now));
    batch->cancel_line();
  }
  CHECK_FALSE(with.ask("a"));
  CHECK(with.ask("a") == tenant_refusal::over_rate);
}

TEST_CASE("the places of lines end with the permit") {
  limited with({.in_flight_max = 3});
  {
    auto batch = with.limits.admit("a", with.now);
    REQUIRE(batch);
    CHECK(batch->begin_line(with.now));
    CHECK(batch->begin_line(with.now));
    CHECK(with.ask("a") == tenant_refusal::over_in_flight);
  }
  std::vector<tenant_permit> all;
  for (int i = 0; i < 3; ++i) all.push_back(std::move(*with.limits.admit("a", with.now)));
  CHECK(with.ask("a") == tenant_refusal::over_in_flight);
}

TEST_CASE("tenants beyond the table share the bounds of one") {
  limited with({.rate = 1});
  for (std::size_t i = 0; i < tenant_limits::tenants_max; ++i) {
    REQUIRE_FALSE(with.ask("t" + std::to_string(i)));
  }
  CHECK_FALSE(with.ask("late"));
  CHECK(with.ask("later") == tenant_refusal::over_rate);
  CHECK(with.ask("t0") == tenant_refusal::over_rate);
  with.now += 1s;
  CHECK_FALSE(with.ask("t0"));
  CHECK_FALSE(with.ask("later"));
}

TEST_CASE("metrics name so many tenants and count the others together") {
  limited with({.rate = 1, .named_in_metrics = 1});
  with.admitted_of(3, "first");
  with.admitted_of(2, "second");
  with.admitted_of(1, "other");
  const auto counts = with.limits.read_counts();
  REQUIRE(counts.size() == 2);
  CHECK(counts[0].tenant == "first");
  CHECK(counts[0].requests == 1);
  CHECK(counts[0].refusals[static_cast<std::size_t>(tenant_refusal::over_rate)] == 2);
  CHECK(counts[1].tenant == "other");
  CHECK(counts[1].requests == 2);
  CHECK(counts[1].refusals[static_cast<std::size_t>(tenant_refusal::over_rate)] == 1);
}

TEST_CASE("a tenant with the label of the others is counted with them") {
  limited with({.named_in_metrics = 5});
  with.admitted_of(2, "other");
  const auto counts = with.limits.read_counts();
  REQUIRE(counts.size() == 1);
  CHECK(counts[0].requests == 2);
}

TEST_CASE("threads that ask at once get no more than the rate, and add each tenant once") {
  limited with({.rate = 1'000, .named_in_metrics = 100});
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) {
        if (with.limits.admit("a", with.now)) admitted.fetch_add(1);
        with.limits.admit("t" + std::to_string(i % 50), with.now);
      }
    });
  }
  for (auto& each : threads) each.join();
  CHECK(admitted == 1'000);
  CHECK(with.limits.read_counts().size() == 52);
}

}  // namespace
}  // namespace ordem::http_edge
