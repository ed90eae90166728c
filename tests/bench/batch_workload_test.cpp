#include "bench/load/batch_workload.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/load_run.hpp"
#include "tests/bench/answers.hpp"
#include "tests/bench/stub_server.hpp"

namespace ordem::bench {
namespace {

constexpr std::string_view time_text = "2026-11-22T10:15:30.123Z";

std::vector<std::string> lines_of(std::string_view body) {
  std::vector<std::string> lines;
  while (!body.empty()) {
    lines.emplace_back(body.substr(0, body.find('\n')));
    body.remove_prefix(lines.back().size() + 1);
  }
  return lines;
}

// The right verdicts on a batch, with orders of these numbers from `first_order`.
owned_answer verdicts_on(std::string_view batch, std::uint64_t first_order, std::string_view total = "7996") {
  owned_answer right{.status = 200, .body = "", .headers = "Content-Type: application/x-ndjson\r\n"};
  for (const auto& line : lines_of(batch)) {
    const auto order = between(line, R"("order":)", "\n");  // with the line's last brace
    const auto attributes = order.find(R"(,"attributes")");
    const std::string content = order.substr(1, attributes - 1) + R"(,"total":)" + std::string(total) +
                                order.substr(attributes, order.size() - attributes - 2);
    right.body += R"({"idempotency_key":")" + between(line, R"("idempotency_key":")", "\"") +
                  R"(","status":201,"replayed":false,"expires_at":")" + std::string(time_text) +
                  R"(","order":{"order_id":")" + uuid_text({.high = 1, .low = first_order++}) +
                  R"(","version":1,"status":"new",)" + content + R"(,"created_at":")" + std::string(time_text) +
                  R"(","updated_at":")" + std::string(time_text) + "\"}}\n";
  }
  return right;
}

struct batch_test {
  findings noted;
  order_text text{"Host: localhost", 7, {.items = 2, .bytes = 0}};
  batch_workload workload{"Host: localhost", text, 3, 0, {1, 1}, noted};

  std::string next_body() {
    const std::string request(workload.next_request());
    return request.substr(request.find("\r\n\r\n") + 4);
  }
};

TEST_CASE_METHOD(batch_test, "a batch is one request of lines with GUIDs of their own") {
  const std::string request(workload.next_request());
  CHECK(request.starts_with("POST /api/v1/orders/batch HTTP/1.1\r\n"));
  const auto body = request.substr(request.find("\r\n\r\n") + 4);
  CHECK(between(request, "Content-Length: ", "\r") == std::to_string(body.size()));
  std::set<std::string> guids;
  std::set<std::string> turns;
  for (const auto& each : {body, next_body()}) {
    for (const auto& line : lines_of(each)) {
      guids.insert(between(line, R"({"idempotency_key":")", "\""));
      turns.insert(between(line, R"("turn":")", "\""));
    }
  }
  CHECK(guids.size() == 6);
  CHECK(turns.size() == 6);
  CHECK(workload.kind() == request_kind::batch);
  CHECK(workload.orders() == 3);
}

TEST_CASE_METHOD(batch_test, "a batch is right once all of it is") {
  const auto right = verdicts_on(next_body(), 1);
  CHECK(workload.judge(right) == verdict::right);
  CHECK(noted.created.size() == 3);
  CHECK(workload.judge(right.with("x-ndjson", "json")) == verdict::wrong_header);
  CHECK(workload.judge(owned_answer{.status = 503, .body = "", .headers = ""}) == verdict::wrong_status);
  CHECK(workload.judge(right.with(R"("status":201)", R"("status":503)")) == verdict::wrong_status);
  CHECK(workload.judge(right.with(R"("replayed":false)", R"("replayed":true)")) == verdict::wrong_status);

  const auto later = verdicts_on(next_body(), 4);
  const std::pair<std::string, std::string> wrong[] = {
      {between(later.body, R"("idempotency_key":")", "\""), "00000000-0000-0000-0000-000000000000"},
      {R"("expires_at":"2026)", R"("expires_at":"26)"},
      {R"("order_id":"0)", R"("order_id":"x)"},
      {R"("version":1)", R"("version":2)"},
      {R"("status":"new")", R"("status":"old")"},
      {"c-000007", "c-000008"},
      {"s-000007-000002", "s-000007-000003"},
      {R"("quantity":2)", R"("quantity":3)"},
      {R"("total":7996)", R"("total":7997)"},
      {R"("channel":"web")", R"("channel":"app")"},
      {R"("turn":"0)", R"("turn":"1)"},
      {R"(30.123Z","updated_at")", R"(30.124Z","updated_at")"},
      {"\"}}\n", "\"}} \n"},
      {"\n", ""},
  };
  for (const auto& [from, to] : wrong) {
    CAPTURE(from, to);
    CHECK(workload.judge(later.with(from, to)) == verdict::wrong_body);
  }
  auto longer = later;
  longer.body += later.body.substr(0, later.body.find('\n') + 1);
  CHECK(workload.judge(longer) == verdict::wrong_body);
  auto shorter = later;
  shorter.body.erase(0, later.body.find('\n') + 1);
  CHECK(workload.judge(shorter) == verdict::wrong_body);
}

TEST_CASE_METHOD(batch_test, "verdicts in another order, and an order that comes twice, are wrong") {
  const auto right = verdicts_on(next_body(), 1);
  const auto lines = lines_of(right.body);
  auto swapped = right;
  swapped.body = lines[1] + "\n" + lines[0] + "\n" + lines[2] + "\n";
  CHECK(workload.judge(swapped) == verdict::wrong_body);
  CHECK(workload.judge(right.with(uuid_text({.high = 1, .low = 2}), uuid_text({.high = 1, .low = 1}))) ==
        verdict::wrong_body);
}

// The right verdicts on a batch of updates.
owned_answer updated(std::string_view batch) {
  auto right = verdicts_on(batch, 0);
  owned_answer changed{.status = 200, .body = "", .headers = right.headers};
  const auto asked = lines_of(batch);
  const auto answered = lines_of(right.body);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto version = std::stoul(between(asked[i], R"("version":)", ","));
    changed.body += owned_answer{.status = 200, .body = answered[i] + "\n", .headers = ""}
                        .with(between(answered[i], R"("order_id":")", "\""), between(asked[i], R"("order_id":")", "\""))
                        .with(R"("status":201)", R"("status":200)")
                        .with(R"("version":1)", R"("version":)" + std::to_string(version + 1))
                        .body;
  }
  return changed;
}

TEST_CASE("a batch of updates is of different orders, each at its version") {
  findings noted;
  const order_text text("Host: localhost", 7, {.items = 2, .bytes = 0});
  batch_workload workload("Host: localhost", text, 3, 4, {1, 1}, noted);
  const auto next_body = [&](std::string_view path) {
    const std::string request(workload.next_request());
    CHECK(request.starts_with("POST " + std::string(path) + " HTTP/1.1\r\n"));
    return request.substr(request.find("\r\n\r\n") + 4);
  };
  for (const std::uint64_t first_order : {1U, 4U}) {
    CHECK_FALSE(workload.is_prepared());
    CHECK(workload.judge(verdicts_on(next_body("/api/v1/orders/batch"), first_order)) == verdict::right);
  }
  CHECK(workload.is_prepared());
  std::map<std::string, std::uint64_t> versions;
  for (int batches = 0; batches < 20; ++batches) {
    const auto body = next_body("/api/v1/batch");
    CHECK(workload.kind() == request_kind::batch_update);
    CHECK(workload.orders() == 3);
    std::set<std::string> ids;
    for (const auto& line : lines_of(body)) {
      CHECK(line.starts_with(R"({"op":"replace","idempotency_key":")"));
      const auto id = between(line, R"("order_id":")", "\"");
      ids.insert(id);
      CHECK(std::stoul(between(line, R"("version":)", ",")) == ++versions[id]);
    }
    CHECK(ids.size() == 3);
    CHECK(workload.judge(updated(body)) == verdict::right);
  }
  CHECK(versions.size() == 6);
  CHECK(noted.created.size() == 6);

  const auto right = updated(next_body("/api/v1/batch"));
  const auto version = R"("version":)" + between(right.body, R"("version":)", ",");
  const auto id = between(right.body, R"("order_id":")", "\"");
  CHECK(workload.judge(right.with(version, version + "0")) == verdict::wrong_body);
  CHECK(workload.judge(right.with(id, uuid_text({.high = 9, .low = 9}))) == verdict::wrong_body);
  CHECK(workload.judge(right.with(R"("status":200)", R"("status":409)")) == verdict::wrong_status);
  CHECK(workload.judge(right.with(R"("updated_at":"2026)", R"("updated_at":"2025)")) == verdict::wrong_body);
  CHECK(workload.judge(right) == verdict::right);
}

TEST_CASE("a batch has bounds") {
  findings noted;
  const order_text small("Host: localhost", 7, {});
  const order_text large("Host: localhost", 7, {.items = 500, .bytes = 0});
  CHECK_THROWS_AS(batch_workload("Host: localhost", small, 0, 0, {1, 1}, noted), std::invalid_argument);
  CHECK_THROWS_AS(batch_workload("Host: localhost", small, batch_lines_max + 1, 0, {1, 1}, noted),
                  std::invalid_argument);
  CHECK_NOTHROW(batch_workload("Host: localhost", large, 100, 0, {1, 1}, noted));
  CHECK_THROWS_AS(batch_workload("Host: localhost", large, 1000, 0, {1, 1}, noted), std::invalid_argument);
}

TEST_CASE("orders of batches are counted, and batches are timed") {
  std::uint64_t orders = 0;
  stub_server server([&](const request& asked, std::uint64_t) {
    const auto right = verdicts_on(asked.body(), orders + 1, "3998");
    orders += 10;
    response answer(http::status::ok, 11);
    answer.set(http::field::content_type, "application/x-ndjson");
    answer.body() = right.body;
    answer.chunked(true);
    return answer;
  });
  auto plan = short_plan(server.port(), scenario::batch);
  plan.workloads.batch_lines = 10;
  const auto result = run_load(plan);
  const auto requests = server.requests();
  CHECK(result.first_complaint.empty());
  CHECK(result.errors.total() == 0);
  CHECK(requests > 1);
  CHECK(result.orders == result.answers * 10);
  CHECK(result.latency_by_kind[static_cast<std::size_t>(request_kind::batch)].count() == requests);
}

}  // namespace
}  // namespace ordem::bench
