// The metrics of captures, batches, memory and Postgres.

#include "app/observability/metrics.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <optional>
#include <thread>

#include "storage/log/sink.hpp"
#include "tests/actors/gateway_fixture.hpp"

namespace ordem::app {
namespace {

using namespace testing;
using Catch::Matchers::Contains;

// A sink in memory. `is_there` is whether it can be reached, and `writes` is the latch that each write passes.
class fake_postgres final : public storage::sink {
 public:
  latch writes;
  std::atomic<bool> is_there{true};

  storage::result<position> claim(const storage::claim_check&) override {
    if (is_there) return held_;
    return tl::make_unexpected(storage::error{storage::error_code::unavailable, "it is unreachable"});
  }
  storage::result<void> write(std::span<const storage::logged_entry> entries) override {
    writes.pass();
    held_ = entries.back().position;
    return {};
  }
  void interrupt() noexcept override { writes.open(); }

 private:
  position held_;
};

struct metrics_test : gateway_test {
  fake_postgres postgres;
  http_edge::edge_counters edge{http_edge::server_settings()};
  http_edge::access_settings access_rules;
  std::optional<http_edge::access_state> access;
  http_edge::service_state state = http_edge::service_state::ready;
  clock_stats clock_seen;
  own_stats own;
  std::optional<tracer_stats> spans;

  ~metrics_test() { engine.reset(); }

  void consume() {
    gateway_settings settings;
    settings.consumer.linger = milliseconds(1);
    settings.consumer.retry_first = milliseconds(1);
    settings.consumer.retry_longest = milliseconds(1);
    start(settings, {}, &postgres);
    engine->start_consuming();
  }
  std::string text() {
    const storage::view_stats stats;
    if (!access) access.emplace(access_rules, http_edge::hosts_by_listener(), http_edge::denial_lines());
    const engine_stats of_engine = stats_of(*engine);
    return metrics_text(edge, *access, state, &of_engine, &store, &stats, clock.now(), clock_seen, own,
                        spans ? &*spans : nullptr);
  }
  // Returns the value of a metric, named with its labels, or nullopt if it is missing.
  std::optional<std::string> value_of(const std::string& name) {
    const std::string all = "\n" + text();
    const auto at = all.find("\n" + name + " ");
    if (at == std::string::npos) return std::nullopt;
    const auto begin = at + name.size() + 2;
    return all.substr(begin, all.find('\n', begin) - begin);
  }
  template <class Condition>
  static bool wait_until(Condition holds) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool wait_for(const std::string& name, const std::string& value) {
    return wait_until([&] { return value_of(name) == value; });
  }
};

// --- state ---

TEST_CASE_METHOD(metrics_test, "there are metrics for whether writes are accepted and reads are served") {
  struct row {
    http_edge::service_state state;
    const char* writes;
    const char* reads;
  };
  constexpr row rows[] = {{http_edge::service_state::recovering, "0", "0"},
                          {http_edge::service_state::ready, "1", "1"},
                          {http_edge::service_state::no_owner, "0", "1"},
                          {http_edge::service_state::read_only, "0", "1"},
                          {http_edge::service_state::draining, "0", "0"}};
  for (const auto& [now, writes, reads] : rows) {
    state = now;
    CHECK(value_of("ordem_takes_writes") == writes);
    CHECK(value_of("ordem_serves_reads") == reads);
    CHECK(value_of("ordem_read_only") == (now == http_edge::service_state::read_only ? "1" : "0"));
  }
}

// --- requests ---

TEST_CASE_METHOD(metrics_test, "requests of all threads are counted together, by route, method and status") {
  using boost::beast::http::verb;
  REQUIRE(edge.requests.size() > 1);
  for (auto& thread : edge.requests)
    thread.add({.to = http_edge::resource::order, .method = verb::patch, .status = 200, .took = milliseconds(2)});
  edge.requests[1].add({.to = http_edge::resource::order,
                        .method = verb::patch,
                        .status = 409,
                        .problem = codec::problem::stale_version,
                        .took = milliseconds(2)});
  edge.requests[1].add({.method = verb::propfind, .status = 404, .problem = codec::problem::not_found});
  CHECK(value_of(R"(ordem_http_requests_total{route="/api/v1/orders/{id}",method="PATCH",status="200"})") == "2");
  CHECK(value_of(R"(ordem_http_requests_total{route="/api/v1/orders/{id}",method="PATCH",status="409"})") == "1");
  CHECK(value_of(R"(ordem_http_requests_total{route="unknown",method="other",status="404"})") == "1");
  CHECK_FALSE(value_of(R"(ordem_http_requests_total{route="/api/v1/orders/{id}",method="GET",status="200"})"));
  CHECK(value_of(R"(ordem_http_responses_total{status="2xx"})") == "2");
  CHECK(value_of(R"(ordem_http_responses_total{status="4xx"})") == "2");
  CHECK(value_of(R"(ordem_http_responses_total{status="5xx"})") == "0");
  CHECK(value_of(R"(ordem_http_problems_total{problem="stale-version"})") == "1");
  CHECK(value_of(R"(ordem_http_problems_total{problem="draining"})") == "0");
  CHECK(value_of(R"(ordem_http_response_seconds_count{route="/api/v1/orders/{id}"})") == "3");
  CHECK(value_of(R"(ordem_http_response_seconds_sum{route="/api/v1/orders/{id}"})") == "0.006");
  CHECK(value_of(R"(ordem_http_response_seconds_bucket{route="/api/v1/orders/{id}",le="0.001"})") == "0");
  CHECK(value_of(R"(ordem_http_response_seconds_bucket{route="/api/v1/orders/{id}",le="0.0025"})") == "3");
  CHECK_FALSE(value_of(R"(ordem_http_response_seconds_count{route="/api/v1/orders"})"));
}

// --- the change feed ---

TEST_CASE_METHOD(metrics_test, "readers of the feed, events and streams that were cut off are counted") {
  edge.feed.readers = 3;
  edge.feed.refused = 1;
  edge.feed.events = 700;
  edge.feed.reads_behind = 4;
  edge.feed.count(http_edge::feed_cut::stalled);
  edge.feed.count(http_edge::feed_cut::stalled);
  edge.feed.count(http_edge::feed_cut::trimmed);
  own.feed_lag = 12;
  own.feed_slowest_lag = 345;
  CHECK(value_of("ordem_feed_readers") == "3");
  CHECK(value_of("ordem_feed_refused_total") == "1");
  CHECK(value_of("ordem_feed_events_total") == "700");
  CHECK(value_of("ordem_feed_reads_behind_total") == "4");
  CHECK(value_of(R"(ordem_feed_cut_off_total{reason="stalled"})") == "2");
  CHECK(value_of(R"(ordem_feed_cut_off_total{reason="trimmed"})") == "1");
  CHECK(value_of(R"(ordem_feed_cut_off_total{reason="memory"})") == "0");
  CHECK(value_of(R"(ordem_feed_cut_off_total{reason="failed"})") == "0");
  CHECK(value_of("ordem_feed_lag_entries") == "12");
  CHECK(value_of("ordem_feed_slowest_lag_entries") == "345");
}

// --- the process ---

TEST_CASE_METHOD(metrics_test,
                 "what the system says about the process has metrics, and what it does not say has none") {
  CHECK_FALSE(value_of("process_open_fds"));
  CHECK_FALSE(value_of("ordem_disk_available_bytes"));
  own.process.cpu_seconds = 1.5;
  own.process.open_files = 17;
  own.disk = {1000, 400};
  own.request_log_dropped = 3;
  CHECK(value_of("process_cpu_seconds_total") == "1.5");
  CHECK(value_of("process_open_fds") == "17");
  CHECK(value_of("ordem_disk_size_bytes") == "1000");
  CHECK(value_of("ordem_disk_available_bytes") == "400");
  CHECK(value_of("ordem_request_log_dropped_total") == "3");
}

// --- captures ---

TEST_CASE_METHOD(metrics_test, "calls of captures are counted by verdict, with 0 for verdicts that never occurred") {
  ask(release(key_of("some-key")));
  ask(allocation(key_of("some-key")));
  ask(allocation(key_of("some-key")));
  ask(record(key_of("some-key"), response_of("r")));
  REQUIRE(wait_for("ordem_captures_total{verdict=\"recorded\"}", "1"));
  for (std::size_t i = 0; i < capture_verdicts; ++i) {
    const auto which = static_cast<capture_verdict>(i);
    const bool occurred = which == capture_verdict::unknown || which == capture_verdict::allocated ||
                          which == capture_verdict::in_flight || which == capture_verdict::recorded;
    CAPTURE(which);
    CHECK(value_of("ordem_captures_total{verdict=\"" + std::string(to_string(which)) + "\"}") ==
          (occurred ? "1" : "0"));
  }
  CHECK(value_of("ordem_messages_executed_total{verdict=\"order_created\"}") == "0");
  CHECK(value_of("ordem_store_captures"));
}

TEST_CASE_METHOD(metrics_test, "the lag counts entries of captures, too") {
  consume();
  REQUIRE(wait_for("ordem_postgres_position", "0"));
  postgres.writes.close();
  ask(allocation(key_of("some-key")));
  clock.advance(milliseconds(1500));
  CHECK(value_of("ordem_postgres_lag_seconds") == "1.5");
  postgres.writes.open();
  CHECK(wait_for("ordem_postgres_lag_seconds", "0"));
}

TEST_CASE_METHOD(metrics_test, "steps of the machine's clock and the lead of timestamps have metrics") {
  start({});
  CHECK(value_of(R"(ordem_clock_steps_total{direction="forward"})") == "0");
  clock_seen = {2, 3, milliseconds(1500)};
  CHECK(value_of(R"(ordem_clock_steps_total{direction="forward"})") == "2");
  CHECK(value_of(R"(ordem_clock_steps_total{direction="backward"})") == "3");
  CHECK(value_of("ordem_clock_lead_seconds") == "1.5");
}

// --- batches ---

TEST_CASE_METHOD(metrics_test, "lines of batches are counted by the class of their verdicts") {
  start({});
  edge.batch_lines[2] = 1000;
  edge.batch_lines[4] = 3;
  CHECK(value_of(R"(ordem_http_batch_lines_total{status="2xx"})") == "1000");
  CHECK(value_of(R"(ordem_http_batch_lines_total{status="4xx"})") == "3");
  CHECK(value_of(R"(ordem_http_batch_lines_total{status="5xx"})") == "0");
  edge.batch_problems[static_cast<std::size_t>(codec::problem::invalid_order)] = 2;
  CHECK(value_of(R"(ordem_http_batch_line_problems_total{problem="invalid-order"})") == "2");
}

// --- memory ---

TEST_CASE_METHOD(metrics_test, "each memory budget has metrics of its use and its refusals") {
  start({});
  http_edge::memory_budget::permit body(edge.body_memory);
  http_edge::memory_budget::permit response(edge.response_memory);
  CHECK(body.resize(1'000'000));
  CHECK_FALSE(response.resize(std::size_t{1} << 40));
  CHECK(value_of("ordem_http_body_memory_bytes") == "1000000");
  CHECK(value_of("ordem_http_response_memory_bytes") == "0");
  CHECK(value_of(R"(ordem_http_memory_refusals_total{budget="body"})") == "0");
  CHECK(value_of(R"(ordem_http_memory_refusals_total{budget="response"})") == "1");
}

// --- who may make requests ---

TEST_CASE_METHOD(metrics_test, "denied requests are counted by reason") {
  text();
  access->denials.add(auth::denial::expired, "10.0.0.1", "", {});
  access->denials.add(http_edge::denial_cause::insufficient_scope, "10.0.0.1", "till-7", {});
  CHECK(value_of(R"(ordem_auth_denials_total{reason="expired"})") == "1");
  CHECK(value_of(R"(ordem_auth_denials_total{reason="insufficient_scope"})") == "1");
  CHECK(value_of(R"(ordem_auth_denials_total{reason="missing"})") == "0");
}

TEST_CASE_METHOD(metrics_test, "tenants are counted together, unless metrics name them") {
  CHECK_THAT(text(), !Contains("ordem_tenant"));
  const bool named = GENERATE(false, true);
  access_rules.tenants = {.rate = 1, .in_flight_max = 0, .named_in_metrics = named ? 1U : 0U};
  access.reset();
  text();
  for (const auto* const tenant : {"shop", "shop", "depot"}) access->tenants.admit(tenant, {});
  CHECK(value_of(named ? R"(ordem_tenant_refusals_total{tenant="shop",reason="rate"})"
                       : R"(ordem_tenant_refusals_total{reason="rate"})") == "1");
  if (named) {
    CHECK(value_of(R"(ordem_tenant_requests_total{tenant="shop"})") == "1");
    CHECK(value_of(R"(ordem_tenant_requests_total{tenant="other"})") == "1");
  } else {
    CHECK(value_of("ordem_tenant_requests_total") == "2");
  }
}

// --- overload ---

TEST_CASE_METHOD(metrics_test, "messages refused for their number are counted by reason, and timed") {
  start({});
  edge.refused_by_delay = 3;
  edge.refused_by_bound = 4;
  edge.overloaded_threads = 2;
  edge.held_back = 5;
  edge.refusal_time.add(std::chrono::microseconds(20));
  edge.loop_delay.add(std::chrono::milliseconds(3));
  CHECK(value_of(R"(ordem_http_overload_refusals_total{reason="delay"})") == "3");
  CHECK(value_of(R"(ordem_http_overload_refusals_total{reason="in_flight"})") == "4");
  CHECK(value_of("ordem_http_overloaded_threads") == "2");
  CHECK(value_of("ordem_http_held_back_connections") == "5");
  CHECK(value_of(R"(ordem_http_refusal_seconds_bucket{le="1e-05"})") == "0");
  CHECK(value_of("ordem_http_refusal_seconds_count") == "1");
  CHECK(value_of(R"(ordem_http_loop_delay_seconds_bucket{le="0.005"})") == "1");
}

// --- Postgres ---

TEST_CASE_METHOD(metrics_test, "without Postgres there are no metrics of it") {
  CHECK_THAT(text(), Contains("ordem_log_position") && !Contains("ordem_postgres"));
}

TEST_CASE_METHOD(metrics_test, "during recovery there are no metrics of Postgres") {
  consume();
  const http_edge::access_state no_access({}, {}, {});
  CHECK_THAT(metrics_text(edge, no_access, http_edge::service_state::recovering, nullptr, nullptr, nullptr, clock.now(),
                          {}, {}),
             !Contains("ordem_postgres"));
}

TEST_CASE_METHOD(metrics_test, "with Postgres there are metrics of its position, its lag and its transactions") {
  consume();
  answers_to(submit_all(creations(0, 10)));
  REQUIRE(wait_for("ordem_postgres_position", "10"));
  CHECK(value_of("ordem_postgres_connected") == "1");
  CHECK(value_of("ordem_postgres_lag_entries") == "0");
  CHECK(value_of("ordem_postgres_lag_seconds") == "0");
  CHECK(value_of("ordem_postgres_backlog_bytes") == "0");
  CHECK(value_of("ordem_postgres_failures_total") == "0");
  CHECK(value_of("ordem_postgres_batches_total").value_or("0") != "0");
}

TEST_CASE_METHOD(metrics_test, "a Postgres that has never been reached has no position") {
  postgres.is_there = false;
  consume();
  answers_to(submit_all(creations(0, 3)));
  REQUIRE(wait_until([this] { return value_of("ordem_postgres_failures_total") != "0"; }));
  CHECK(value_of("ordem_postgres_connected") == "0");
  CHECK_FALSE(value_of("ordem_postgres_position"));
  CHECK_FALSE(value_of("ordem_postgres_lag_entries"));
  CHECK_FALSE(value_of("ordem_postgres_lag_seconds"));

  postgres.is_there = true;
  CHECK(wait_for("ordem_postgres_position", "3"));
  CHECK(value_of("ordem_postgres_connected") == "1");
}

TEST_CASE_METHOD(metrics_test, "the lag is given in entries and as the age of the oldest one") {
  consume();
  REQUIRE(wait_for("ordem_postgres_position", "0"));
  postgres.writes.close();
  ask(creation(guid_of("k-1")));
  clock.advance(milliseconds(1500));
  ask(creation(guid_of("k-2")));
  clock.advance(milliseconds(1000));
  CHECK(value_of("ordem_postgres_lag_entries") == "2");
  CHECK(value_of("ordem_postgres_lag_seconds") == "2.5");
  CHECK(value_of("ordem_postgres_position") == "0");
  postgres.writes.open();
  REQUIRE(wait_for("ordem_postgres_position", "2"));
  CHECK(value_of("ordem_postgres_lag_entries") == "0");
  CHECK(value_of("ordem_postgres_lag_seconds") == "0");
}

TEST_CASE_METHOD(metrics_test, "a clock that steps back does not make the lag negative") {
  consume();
  REQUIRE(wait_for("ordem_postgres_position", "0"));
  postgres.writes.close();
  ask(creation(guid_of("k-1")));
  clock.advance(milliseconds(-5000));
  CHECK(value_of("ordem_postgres_lag_entries") == "1");
  CHECK(value_of("ordem_postgres_lag_seconds") == "0");
}

TEST_CASE_METHOD(metrics_test, "the backlog is given in bytes, as last measured") {
  consume();
  REQUIRE(wait_for("ordem_postgres_position", "0"));
  postgres.writes.close();
  std::uint64_t sent = 0;
  REQUIRE(wait_until([&] {
    ask(creation(guid_of(++sent)));
    return value_of("ordem_postgres_backlog_bytes") != "0";
  }));
  postgres.writes.open();
  CHECK(wait_for("ordem_postgres_backlog_bytes", "0"));
}

TEST_CASE_METHOD(metrics_test, "spans are counted where requests are traced") {
  CHECK_THAT(text(), !Contains("ordem_trace_spans"));
  spans = {.exported = 7, .dropped = {1, 2, 3}};
  CHECK(value_of("ordem_trace_spans_exported_total") == "7");
  CHECK(value_of("ordem_trace_spans_dropped_total{reason=\"queue_full\"}") == "1");
  CHECK(value_of("ordem_trace_spans_dropped_total{reason=\"export_failed\"}") == "2");
  CHECK(value_of("ordem_trace_spans_dropped_total{reason=\"position_forgotten\"}") == "3");
}

}  // namespace
}  // namespace ordem::app
