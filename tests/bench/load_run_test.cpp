#include "bench/load/load_run.hpp"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/load/uuid.hpp"
#include "tests/bench/answers.hpp"
#include "tests/bench/stub_server.hpp"

namespace ordem::bench {
namespace {

TEST_CASE("right answers are counted and timed, and have no errors") {
  stub_server server([](const request& asked, std::uint64_t before) { return creation(asked, before); });
  const auto result = run_load(short_plan(server.port()));
  const auto requests = server.requests();
  CHECK(result.errors.total() == 0);
  CHECK(result.first_complaint.empty());
  CHECK(requests > 1);
  CHECK(result.latency().count() == requests);
  CHECK(result.answers <= requests);
  CHECK(result.answers + 1 >= requests);  // the last one may have come after the end
  CHECK(result.answer_body_bytes == result.answers * creation({}, 0).body().size());
  CHECK(result.answers_by_kind[static_cast<std::size_t>(request_kind::create)] == result.answers);
  CHECK(result.shares_machine);
  CHECK(result.by_second.size() == 1);
  CHECK(result.by_second.front().answers == result.answers);
  CHECK(result.latency().max() > std::chrono::nanoseconds(0));
}

TEST_CASE("each create has its own GUID, in the form of a UUID") {
  std::vector<uuid> guids;
  stub_server server([&](const request& asked, std::uint64_t before) {
    const std::string guid(asked["Idempotency-Key"]);
    guids.push_back(parse_uuid(guid.substr(1, guid.size() - 2)).value_or(uuid{}));
    return creation(asked, before);
  });
  const auto result = run_load(short_plan(server.port()));
  CHECK(server.requests() == guids.size());
  CHECK(result.errors.total() == 0);
  std::ranges::sort(guids);
  CHECK(std::ranges::adjacent_find(guids) == guids.end());
  CHECK(guids.front() != uuid{});
}

TEST_CASE("each request has the API key, if there is one") {
  std::vector<std::string> credentials;
  stub_server server([&](const request& asked, std::uint64_t before) {
    credentials.emplace_back(asked["Authorization"]);
    return creation(asked, before);
  });
  auto plan = short_plan(server.port());
  plan.api_key = "ordem_k";
  CHECK(run_load(plan).errors.total() == 0);
  REQUIRE_FALSE(credentials.empty());
  CHECK(std::ranges::count(credentials, "Bearer ordem_k") == std::ssize(credentials));
}

TEST_CASE("an order that comes with two creates is an error, even with others between") {
  stub_server server(
      [](const request& asked, std::uint64_t before) { return creation(asked, before == 2 ? 0 : before); });
  const auto result = run_load(short_plan(server.port()));
  CHECK(server.requests() > 2);
  CHECK(result.errors.repeated_order == 1);
  CHECK(result.errors.total() == 1);
  CHECK_FALSE(result.first_complaint.empty());
}

TEST_CASE("wrong status and wrong body are counted apart, and the load goes on") {
  stub_server server([](const request& asked, std::uint64_t before) {
    auto answer = creation(asked, before, before == 1 ? http::status::service_unavailable : http::status::created);
    if (before == 2) answer.body() = "{}";
    answer.prepare_payload();
    return answer;
  });
  const auto result = run_load(short_plan(server.port()));
  CHECK(server.requests() > 3);
  CHECK(result.errors.wrong_status == 1);
  CHECK(result.errors.wrong_body == 1);
  CHECK(result.errors.total() == 2);
  CHECK(result.first_complaint.starts_with("wrong status: 503 "));
}

TEST_CASE("a connection that the server closes is an error") {
  stub_server server([](const request& asked, std::uint64_t before) -> reaction {
    if (before == 3) return hang_up{};
    return creation(asked, before);
  });
  const auto result = run_load(short_plan(server.port()));
  CHECK(server.requests() == 3);
  CHECK(result.errors.broken == 1);
  CHECK(result.errors.total() == 1);
  CHECK(result.latency().count() == 4);
}

TEST_CASE("a connection that an answer ends is opened again") {
  stub_server server([](const request& asked, std::uint64_t before) {
    auto answer = creation(asked, before);
    answer.keep_alive(before % 2 == 1);
    return answer;
  });
  const auto result = run_load(short_plan(server.port()));
  CHECK(result.errors.total() == 0);
  CHECK(result.first_complaint.empty());
  CHECK(result.answers > 3);
}

TEST_CASE("a connection that an answer ends and that can't be opened again has lost no request") {
  stub_server* itself = nullptr;
  stub_server server([&](const request& asked, std::uint64_t before) {
    auto answer = creation(asked, before);
    if (before == 3) {
      itself->close_acceptor();
      answer.keep_alive(false);
    }
    return answer;
  });
  itself = &server;
  const auto result = run_load(short_plan(server.port()));
  CHECK(result.answers == 4);
  CHECK(result.errors.unconnected == 1);
  CHECK(result.errors.total() == 1);
  CHECK(result.first_complaint.starts_with("connection lost: cannot connect again: "));
}

TEST_CASE("an answer that never comes is an error, and counts with the time waited for it") {
  stub_server server([](const request& asked, std::uint64_t before) -> reaction {
    if (before == 3) return silence{};
    return creation(asked, before);
  });
  const auto plan = short_plan(server.port());
  const auto result = run_load(plan);
  CHECK(server.requests() == 4);
  CHECK(result.errors.unanswered == 1);
  CHECK(result.errors.total() == 1);
  CHECK(result.latency().count() == 4);
  CHECK(result.latency().max() >= plan.patience);
}

TEST_CASE("an answer without Content-Length ends its connection") {
  stub_server server([](const request& asked, std::uint64_t before) {
    auto answer = creation(asked, before);
    answer.content_length(boost::none);
    return answer;
  });
  const auto result = run_load(short_plan(server.port()));
  CHECK(result.errors.broken == 1);
  CHECK(result.errors.total() == 1);
}

TEST_CASE("a get run creates its order first and reads only that") {
  std::uint64_t reads = 0;
  stub_server server([&](const request& asked, std::uint64_t) {
    if (asked.method() == http::verb::post) return creation(asked, 5);
    ++reads;
    const bool is_it = asked.target() == "/api/v1/orders/00000000-0000-0001-0000-000000000005";
    return order_reply(asked, is_it ? http::status::ok : http::status::not_found, 5, "ok");
  });
  const auto result = run_load(short_plan(server.port(), scenario::get));
  CHECK(server.requests() == reads + 1);
  CHECK(reads > 0);
  CHECK(result.errors.total() == 0);
  CHECK(result.latency().count() == reads);
}

TEST_CASE("a get run without an order to read throws") {
  const auto [react, message] = GENERATE(table<stub_server::reactor, std::string>({
      {[](const request&, std::uint64_t) { return silence{}; }, "cannot prepare the load: unanswered"},
      {[](const request&, std::uint64_t) { return hang_up{}; }, "cannot prepare the load: End of file"},
      {[](const request& asked, std::uint64_t) { return creation(asked, 1, http::status::ok); },
       "cannot prepare the load: wrong answer: 200 {"},
  }));
  stub_server server(react);
  CHECK_THROWS_WITH(run_load(short_plan(server.port(), scenario::get)), Catch::StartsWith(message));
}

TEST_CASE("an update run updates as many orders as it made") {
  std::vector<std::uint64_t> versions;  // by order
  stub_server server([&](const request& asked, std::uint64_t) {
    if (asked.method() == http::verb::post) {
      versions.push_back(1);
      return creation(asked, versions.size() - 1);
    }
    const auto id = parse_uuid(between(std::string(asked.target()), "/api/v1/orders/", " ")).value_or(uuid{});
    return order_reply(asked, http::status::ok, id.low, "order updated", ++versions.at(id.low));
  });
  auto plan = short_plan(server.port(), scenario::update);
  plan.workloads.orders_each = 3;
  const auto result = run_load(plan);
  CHECK(server.requests() > 3);
  CHECK(result.first_complaint.empty());
  CHECK(result.errors.total() == 0);
  CHECK(versions.size() == 3);
}

TEST_CASE("the CPU time of the server within the measured time is reported if the plan names its process") {
  stub_server server([](const request& asked, std::uint64_t before) { return creation(asked, before); });
  auto plan = short_plan(server.port());
  plan.duration = std::chrono::milliseconds(200);
  plan.server_pid = getpid();  // the toy's, and the generator's
  const auto result = run_load(plan);
  constexpr auto ticks = std::chrono::milliseconds(20);
  CHECK(result.server_cpu > std::chrono::nanoseconds(0));
  CHECK(result.server_cpu > result.cpu - ticks);
  CHECK(result.server_cpu < result.cpu + ticks);
}

TEST_CASE("a server that executes repeats again is found out") {
  stub_server server([](const request& asked, std::uint64_t before) { return creation(asked, before); });
  const auto result = run_load(short_plan(server.port(), scenario::replay));
  CHECK(server.requests() > 1);
  CHECK(result.errors.wrong_header > 0);
  CHECK(result.first_complaint.starts_with("wrong header: 201 "));
}

TEST_CASE("a server that loses updates is found out") {
  stub_server server([](const request& asked, std::uint64_t) {
    if (asked.method() == http::verb::post) return creation(asked, 1);
    const auto against = std::stoull(between(asked.body(), R"("version":)", ","));
    return order_reply(asked, http::status::ok, 1, "order updated", against + 1);  // whatever the version is
  });
  const auto result = run_load(short_plan(server.port(), scenario::conflict));
  CHECK(server.requests() > 1);
  CHECK(result.errors.wrong_status > 0);
  CHECK(result.errors.wrong_status == result.errors.total());
}

TEST_CASE("a server that allocates a capture twice is found out") {
  stub_server server([](const request& asked, std::uint64_t) {
    response answer(asked.method() == http::verb::put ? http::status::accepted : http::status::ok, 11);
    answer.prepare_payload();
    return answer;
  });
  const auto result = run_load(short_plan(server.port(), scenario::captures));
  CHECK(server.requests() > 2);
  CHECK(result.errors.wrong_status > 0);
}

TEST_CASE("progress is reported while the load runs") {
  stub_server server([](const request& asked, std::uint64_t before) { return creation(asked, before); });
  std::uint64_t told = 0;
  std::uint64_t answers = 0;
  const auto result = run_load(short_plan(server.port()), [&](const progress& now) {
    ++told;
    answers = now.answers;
    CHECK(now.errors == 0);
  });
  CHECK(told > 0);
  CHECK(answers <= server.requests());
  CHECK(result.errors.total() == 0);
}

TEST_CASE("an unreachable server throws") {
  std::uint16_t closed_port = 0;
  {
    asio::io_context context;
    closed_port = tcp::acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)).local_endpoint().port();
  }
  CHECK_THROWS_WITH(run_load(short_plan(closed_port)), Catch::StartsWith("cannot connect to 127.0.0.1:"));
}

}  // namespace
}  // namespace ordem::bench
