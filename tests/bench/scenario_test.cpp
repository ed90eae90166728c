#include "bench/load/scenario.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "bench/load/load_result.hpp"
#include "tests/bench/answers.hpp"

namespace ordem::bench {
namespace {

std::unique_ptr<workload> begin(scenario what, hot_order& hot, findings& noted, unsigned orders_each = 1) {
  scenario_plan plan;
  plan.what = what;
  plan.orders_each = orders_each;
  return make_workload(plan, {.fields = "Host: localhost", .number = 7, .seed = 3, .hot = &hot, .noted = &noted});
}

TEST_CASE("scenarios that read or update make their orders first, the others need none") {
  hot_order hot;
  findings noted;
  for (const auto what : {scenario::create, scenario::replay, scenario::captures, scenario::batch, scenario::bare}) {
    CHECK(begin(what, hot, noted)->is_prepared());
  }
  for (const auto what : {scenario::update, scenario::get, scenario::conflict, scenario::mixed}) {
    const auto workload = begin(what, hot, noted, 3);
    for (std::uint64_t i = 1; i <= 3; ++i) {
      REQUIRE_FALSE(workload->is_prepared());
      REQUIRE(workload->next_request().starts_with("POST /api/v1/orders "));
      const auto got = order_answer(201, "order created", {.high = 9, .low = i}, 1, i)
                           .with("s-000007-000002", "s-000007-000001")
                           .with("7996", "3998");
      REQUIRE(workload->judge(got) == verdict::right);
    }
    CHECK(workload->is_prepared());
  }
}

TEST_CASE("mixed has its documented shares") {
  hot_order hot;
  findings noted;
  std::array<double, request_kinds> counts{};
  constexpr int count = 20'000;
  // Only the first answer is given, so there are no repeats, no stale updates, and of captures only allocations.
  const auto workload = begin(scenario::mixed, hot, noted);
  (void)workload->next_request();
  const auto got = order_answer(201, "order created", {.high = 9, .low = 1}, 1, 1)
                       .with("s-000007-000002", "s-000007-000001")
                       .with("7996", "3998");
  REQUIRE(workload->judge(got) == verdict::right);
  for (int i = 0; i < count; ++i) {
    (void)workload->next_request();
    counts[static_cast<std::size_t>(workload->kind())] += 1.0 / count;
  }
  CHECK(counts[static_cast<std::size_t>(request_kind::get)] == Approx(mixed_shares.get).margin(0.015));
  CHECK(counts[static_cast<std::size_t>(request_kind::update)] == Approx(mixed_shares.update).margin(0.015));
  CHECK(counts[static_cast<std::size_t>(request_kind::create)] == Approx(mixed_shares.create).margin(0.015));
}

TEST_CASE("a seed determines all requests of a connection, and each connection has its own GUIDs") {
  hot_order hot;
  findings noted;
  const auto guids = [&](unsigned number, std::uint64_t seed) {
    scenario_plan plan;
    const auto workload =
        make_workload(plan, {.fields = "Host: h", .number = number, .seed = seed, .hot = &hot, .noted = &noted});
    std::vector<std::string> all;
    for (int i = 0; i < 10; ++i) all.push_back(between(workload->next_request(), "Idempotency-Key: \"", "\""));
    return all;
  };
  CHECK(guids(1, 5) == guids(1, 5));
  CHECK(guids(1, 5) != guids(2, 5));
  CHECK(guids(1, 5) != guids(1, 6));
}

TEST_CASE("a constant is whatever came first, and stays so") {
  hot_order hot;
  findings noted;
  const auto workload = begin(scenario::bare, hot, noted);
  const auto creation = begin(scenario::create, hot, noted);
  CHECK(workload->next_request().size() == creation->next_request().size());
  CHECK(workload->judge({201, ""}) == verdict::wrong_body);
  CHECK(workload->judge({404, "constant"}) == verdict::wrong_status);
  CHECK(workload->judge({201, "constant"}) == verdict::right);
  CHECK(workload->judge({200, "constant"}) == verdict::right);
  CHECK(workload->judge({201, "Constant"}) == verdict::wrong_body);
}

TEST_CASE("what only all threads together show is found") {
  const uuid twice{.high = 1, .low = 2};
  load_result one;
  one.found = {.created = {twice, {.high = 1, .low = 3}}, .hot_versions = {2, 4}};
  load_result other;
  other.found = {.created = {twice}, .hot_versions = {3, 4}};
  one.merge(other);
  check_findings(one);
  CHECK(one.errors.repeated_order == 1);
  CHECK(one.errors.version_fault == 1);
  CHECK(one.errors.total() == 2);
  CHECK_FALSE(one.first_complaint.empty());
}

}  // namespace
}  // namespace ordem::bench
