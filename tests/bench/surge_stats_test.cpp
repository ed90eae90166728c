#include "bench/load/surge_stats.hpp"

#include <catch2/catch.hpp>
#include <chrono>

#include "bench/load/load_run.hpp"
#include "tests/bench/stub_server.hpp"

namespace ordem::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// The surge lasts from 1 s to 3 s of a measured time of 4 s, which begins 1 s after the arrivals do.
surge_stats sample() {
  return {{.rate_per_s = 30, .from = seconds(2), .until = seconds(4)}, seconds(1), seconds(4)};
}

TEST_CASE("requests belong to the phase and the slot in which they were due") {
  auto stats = sample();
  stats.add_accepted(milliseconds(999), milliseconds(1001), milliseconds(1010));
  stats.add_accepted(milliseconds(1000), milliseconds(1000), milliseconds(1002));
  stats.add_refused(milliseconds(2999), milliseconds(3000), milliseconds(3007));
  stats.add_not_sent(milliseconds(3000));
  stats.add_not_sent(milliseconds(4000));                                   // after the measured time
  stats.add_accepted(milliseconds(-1), milliseconds(-1), milliseconds(0));  // answered within it

  const auto& before = stats.of(surge_phase::before);
  const auto& during = stats.of(surge_phase::during);
  const auto& after = stats.of(surge_phase::after);
  CHECK(stats.length_of(surge_phase::before) == seconds(1));
  CHECK(stats.length_of(surge_phase::during) == seconds(2));
  CHECK(stats.length_of(surge_phase::after) == seconds(1));
  CHECK(before.due == 1);
  CHECK(before.accepted == 1);
  CHECK(before.answered == 1);  // the one that was due before the measured time
  CHECK(before.accepted_since_due.max() == milliseconds(11));
  CHECK(before.accepted_since_sent.max() == milliseconds(9));
  CHECK(during.due == 2);
  CHECK(during.accepted == 1);
  CHECK(during.answered == 2);  // the goodput counts by the time of the answer
  CHECK(during.refused == 1);
  CHECK(during.refused_since_sent.max() == milliseconds(7));
  CHECK(after.due == 1);
  CHECK(after.not_sent == 1);

  REQUIRE(stats.slots().size() == 16);
  CHECK(stats.slots()[3].due == 1);
  CHECK(stats.slots()[3].accepted_since_due.max() == milliseconds(11));
  CHECK(stats.slots()[4].answered == 2);
  CHECK(stats.slots()[11].refused == 1);
  CHECK(stats.slots()[12].not_sent == 1);
}

TEST_CASE("the stats of two threads are added up") {
  auto sum = surge_stats();
  CHECK(sum.empty());
  for (int i = 0; i < 2; ++i) {
    auto one = sample();
    one.add_accepted(milliseconds(1500), milliseconds(1500), milliseconds(1501));
    one.add_refused(milliseconds(1500), milliseconds(1500), milliseconds(1501));
    one.add_not_sent(milliseconds(1500));
    sum.merge(one);
  }
  sum.merge(surge_stats());
  const auto& during = sum.of(surge_phase::during);
  CHECK(during.due == 6);
  CHECK(during.accepted == 2);
  CHECK(during.answered == 2);
  CHECK(during.refused == 2);
  CHECK(during.not_sent == 2);
  CHECK(during.accepted_since_due.count() == 2);
  CHECK(during.accepted_since_sent.count() == 2);
  CHECK(during.refused_since_sent.count() == 2);
  CHECK(sum.slots()[6].due == 6);
  CHECK(sum.slots()[6].answered == 2);
  CHECK(sum.slots()[6].refused == 2);
  CHECK(sum.slots()[6].not_sent == 2);
  CHECK(sum.slots()[6].accepted_since_due.count() == 2);
}

response refusal(bool with_retry_after, bool by_rate) {
  response refused(by_rate ? http::status::too_many_requests : http::status::service_unavailable, 11);
  if (with_retry_after) refused.set(http::field::retry_after, "1");
  refused.body() = by_rate ? R"({"type":"/problems/rate-limited","title":"too many requests","status":429})"
                           : R"({"type":"/problems/overloaded","title":"the server is overloaded","status":503})";
  refused.prepare_payload();
  return refused;
}

// Refuses every third request.
stub_server::reactor refusing(bool with_retry_after, bool by_rate = false) {
  return [=](const request& asked, std::uint64_t before) {
    return before % 3 == 2 ? refusal(with_retry_after, by_rate) : creation(asked, before);
  };
}

TEST_CASE("refusals are counted apart where the plan allows them, and are wrong elsewhere") {
  const bool allowed = GENERATE(true, false);
  stub_server server(refusing(true, GENERATE(true, false)));
  auto plan = short_plan(server.port());
  plan.takes_refusals = allowed;
  const auto result = run_load(plan);
  const auto requests = server.requests();
  REQUIRE(requests > 5);
  CHECK(result.errors.wrong_status == (allowed ? 0 : requests / 3));
  CHECK(result.refused <= (allowed ? requests / 3 : 0));
  CHECK(result.refusal_time.count() == (allowed ? requests / 3 : 0));
  CHECK(result.latency().count() == (allowed ? requests - requests / 3 : requests));
}

TEST_CASE("a refusal without Retry-After is wrong") {
  stub_server server(refusing(false));
  auto plan = short_plan(server.port());
  plan.takes_refusals = true;
  const auto result = run_load(plan);
  CHECK(result.errors.wrong_header == server.requests() / 3);
  CHECK(result.errors.wrong_header > 0);
}

TEST_CASE("a surge sends more while it lasts, and what is too late is not sent") {
  stub_server server([](const request& asked, std::uint64_t before) {
    if (before == 40) std::this_thread::sleep_for(milliseconds(100));  // within the surge
    return creation(asked, before);
  });
  auto plan = short_plan(server.port());
  plan.duration = milliseconds(300);
  plan.patience = seconds(20);
  plan.late_max = milliseconds(10);
  plan.open = {.pattern = arrival_pattern::fixed,
               .rate_per_s = 100,
               .surge = surge{.rate_per_s = 1000, .from = milliseconds(100), .until = milliseconds(200)}};
  const auto result = run_load(plan);
  CHECK(result.errors.total() == 0);
  CHECK(result.surge.of(surge_phase::before).due == 10);
  CHECK(result.surge.of(surge_phase::during).due + result.surge.of(surge_phase::after).due == 110);
  CHECK(result.surge.of(surge_phase::during).due >= 100);
  CHECK(result.late.given_up > 0);
  CHECK(result.late.given_up + result.late.never_sent + server.requests() == 120);
  CHECK(result.surge.of(surge_phase::during).not_sent + result.surge.of(surge_phase::after).not_sent ==
        result.late.given_up + result.late.never_sent);
}

}  // namespace
}  // namespace ordem::bench
