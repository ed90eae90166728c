#include "bench/load/report.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <sstream>
#include <string>

namespace ordem::bench {
namespace {

using Catch::Contains;
using std::chrono::milliseconds;
using std::chrono::seconds;

load_result some_result() {
  load_result result;
  result.answers = 200;
  result.answers_by_kind[static_cast<std::size_t>(request_kind::create)] = 150;
  result.answers_by_kind[static_cast<std::size_t>(request_kind::repeat)] = 50;
  result.request_body_bytes = 200 * 128;
  for (int i = 0; i < 200; ++i) {
    result.latency_by_kind[static_cast<std::size_t>(request_kind::create)].record(std::chrono::microseconds(100));
  }
  result.by_second = {{.answers = 120, .latency_max = milliseconds(3)},
                      {.answers = 80, .latency_max = milliseconds(1)}};
  result.cpu = seconds(1);
  result.busiest_thread_cpu = milliseconds(1900);
  result.shares_machine = true;
  result.late = {.requests = 7, .longest = milliseconds(2), .queue_max = 5, .never_sent = 1};
  return result;
}

load_plan some_plan() {
  load_plan plan;
  plan.workloads.what = scenario::replay;
  plan.duration = seconds(2);
  plan.seed = 11;
  return plan;
}

std::string json_of(const load_plan& plan, const load_result& result, const run_notes& notes = {}) {
  std::ostringstream out;
  write_json(out, plan, result, notes);
  return out.str();
}

std::string text_of(const load_plan& plan, const load_result& result, const run_notes& notes = {}) {
  std::ostringstream out;
  write_text(out, plan, result, notes);
  return out.str();
}

TEST_CASE("the JSON says what was measured, in one line") {
  const auto json = json_of(some_plan(), some_result(), {{"durability", "fsync"}, {"quo\"te", "back\\slash\n"}});
  CHECK(json.find('\n') == json.size() - 1);
  CHECK_THAT(json, Contains(R"("scenario":"replay","loop":"closed","notes":{"durability":"fsync",)"
                            R"("quo\"te":"back\\slash\u000a"})"));
  CHECK_THAT(json, Contains(R"("body_bytes":128.0)"));
  CHECK_THAT(json, Contains(R"("requests_per_s":100.0)"));
  CHECK_THAT(json, Contains(R"("key_hit_share":0.2500)"));
  CHECK_THAT(json, Contains(R"("orders_each":0,"replay_share":0.5000)"));
  CHECK_THAT(json, Contains(R"("by_second":{"requests":[120,80],"latency_max_us":[3000.0,1000.0]})"));
  CHECK_THAT(json, Contains(R"(,"p99_99":100.0,"max":100.0})"));
  CHECK_THAT(json, Contains(R"("generator_busiest_thread_cpu_s":1.900)"));
  CHECK_THAT(json, Contains(R"("shares_machine":true)"));
  CHECK_THAT(json, !Contains(R"("late")"));
}

TEST_CASE("for batches the orders are reported too") {
  auto plan = some_plan();
  auto result = some_result();
  result.orders = 200'000;
  CHECK_THAT(json_of(plan, result), Contains(R"("orders":200000,"orders_per_s":100000.0)"));
  CHECK_THAT(json_of(plan, result), !Contains("batch_lines"));
  CHECK_THAT(text_of(plan, result), !Contains("orders/s"));
  plan.workloads.batch_lines = 250;
  for (const auto what : {scenario::batch, scenario::batch_update}) {
    plan.workloads.what = what;
    CHECK_THAT(json_of(plan, result), Contains(R"("batch_lines":250)"));
    CHECK_THAT(text_of(plan, result), Contains("orders/s       100000, in batches of 250"));
  }
}

TEST_CASE("the JSON holds all buckets of the histogram") {
  load_result result;
  auto& latency = result.latency_by_kind.front();
  latency.record(std::chrono::nanoseconds(200));
  latency.record(std::chrono::nanoseconds(200));
  latency.record(std::chrono::nanoseconds(7));
  CHECK_THAT(json_of(some_plan(), result), Contains(R"("histogram_ns":[[7,1],[200,2]])"));
  CHECK_THAT(json_of(some_plan(), load_result{}), Contains(R"("histogram_ns":[])"));
}

TEST_CASE("an open loop names its arrivals, and what was late") {
  auto plan = some_plan();
  plan.open = {.pattern = arrival_pattern::poisson, .rate_per_s = 1234.5};
  CHECK_THAT(json_of(plan, some_result()),
             Contains(R"("loop":"open","arrivals":{"pattern":"poisson","rate_per_s":1234.500},)"
                      R"("late":{"requests":7,"longest_us":2000.0,"queue_max":5,"never_sent":1,"given_up":0})"));
  const auto text = text_of(plan, some_result());
  CHECK_THAT(text, Contains("open loop, poisson arrivals, 1234.5/s"));
  CHECK_THAT(text, Contains("longest queue 5; never sent 1"));
  CHECK_THAT(text, Contains("the server was too slow for this rate"));
}

TEST_CASE("the text warns of a generator that is the bottleneck") {
  auto result = some_result();
  CHECK_THAT(text_of(some_plan(), result), Contains("its busiest thread 95.0 %"));
  CHECK_THAT(text_of(some_plan(), result), Contains("the generator may be the bottleneck"));
  result.busiest_thread_cpu = milliseconds(900);
  CHECK_THAT(text_of(some_plan(), result), !Contains("bottleneck"));
  CHECK_THAT(text_of(some_plan(), result, {{"durability", "os"}}), Contains("durability: os"));
}

TEST_CASE("the CPU time of the server is reported if the plan names its process") {
  auto plan = some_plan();
  auto result = some_result();
  result.server_cpu = milliseconds(1500);
  CHECK_THAT(json_of(plan, result), !Contains("server_cpu"));
  CHECK_THAT(text_of(plan, result), !Contains("server CPU"));
  plan.server_pid = 1;
  CHECK_THAT(json_of(plan, result), Contains(R"("server_cpu_s":1.500})"));
  CHECK_THAT(text_of(plan, result), Contains("server CPU     1.500 s: 0.75 of"));
}

TEST_CASE("the progress line shows the rate since the one before") {
  auto plan = some_plan();
  const progress before{.since_begin = milliseconds(500), .answers = 1000};
  progress now{.since_begin = seconds(1), .answers = 2500, .errors = 3, .waiting = 12};
  CHECK(progress_line(plan, before, now) == "1.0 of 2.0 s: 3000/s, errors 3");
  plan.open = {.pattern = arrival_pattern::fixed, .rate_per_s = 10};
  CHECK(progress_line(plan, before, now) == "1.0 of 2.0 s: 3000/s, errors 3, waiting 12");
  now.since_begin = -milliseconds(500);
  CHECK(progress_line(plan, {.since_begin = -seconds(1)}, now) ==
        "warming up, 0.5 s to go: 5000/s, errors 3, waiting 12");
}

}  // namespace
}  // namespace ordem::bench
