#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/create_workload.hpp"
#include "bench/load/get_workload.hpp"
#include "bench/load/hot_order_workload.hpp"
#include "bench/load/order_answer.hpp"
#include "bench/load/update_workload.hpp"
#include "tests/bench/answers.hpp"

namespace ordem::bench {
namespace {

constexpr uuid first_order{.high = 0x0190b3f29f6c7cc0, .low = 1};
constexpr uuid second_order{.high = 0x0190b3f29f6c7cc0, .low = 2};
constexpr body_size two_items{.items = 2, .bytes = 0};

owned_answer created(const uuid& id, std::uint64_t turn) {
  return order_answer(201, "order created", id, 1, turn);
}

owned_answer updated(const uuid& id, std::uint64_t version, std::uint64_t turn) {
  return order_answer(200, "order updated", id, version, turn);
}

// The right answer, with one thing wrong in each.
const std::vector<std::pair<std::string, std::string>>& wrong_bodies() {
  static const std::vector<std::pair<std::string, std::string>> all{
      {R"("code":2)", R"("code":3)"},
      {"order ", "Order "},
      {"0190b3f2", "no-uuid!"},
      {R"("version":)", R"("version":7)"},
      {"c-000007", "c-000008"},
      {"c-000007", "c-0000070"},
      {"7996", "7997"},
      {"s-000007-000002", "s-000007-000003"},
      {R"("turn":"0)", R"("turn":"1)"},
      {R"("order")", R"("ordre_id":"","order")"},
  };
  return all;
}

TEST_CASE("a create is right once all of it is") {
  order_text text("Host: localhost", 7, two_items);
  findings noted;
  create_workload workload(text, {1, 1}, 0, noted);
  (void)workload.next_request();
  CHECK(workload.kind() == request_kind::create);
  const auto right = created(first_order, 1);

  CHECK(workload.judge(owned_answer{.status = 503, .body = "", .headers = ""}) == verdict::wrong_status);
  CHECK(workload.judge(order_answer(200, "order created", first_order, 1, 1)) == verdict::wrong_status);
  for (const auto& [from, to] : wrong_bodies()) {
    if (from == R"("order")") continue;  // a member more is no error
    CAPTURE(from, to);
    CHECK(workload.judge(right.with(from, to)) == verdict::wrong_body);
  }
  CHECK(workload.judge(owned_answer{.status = 201, .body = "", .headers = right.headers}) == verdict::wrong_body);
  CHECK(workload.judge(right.with("ETag: \"1\"", "ETag: \"2\"")) == verdict::wrong_header);
  CHECK(workload.judge(right.with("ETag: \"1\"", "ETag: 1")) == verdict::wrong_header);
  CHECK(workload.judge(right.with("Location: /api/v1", "Location: /api/v2")) == verdict::wrong_header);
  CHECK(workload.judge(right.with("000000000001\r\n", "000000000002\r\n")) ==
        verdict::wrong_header);  // of another order
  CHECK(workload.judge(right.with_header("Idempotency-Replayed: true")) == verdict::wrong_header);
  CHECK(noted.created.empty());

  CHECK(workload.judge(right) == verdict::right);
  CHECK(noted.created == std::vector<uuid>{first_order});
  (void)workload.next_request();
  CHECK(workload.judge(created(first_order, 2)) == verdict::wrong_body);  // the same order again
  CHECK(workload.judge(created(second_order, 2)) == verdict::right);
  CHECK(noted.created == std::vector<uuid>{first_order, second_order});
}

TEST_CASE("a repeat sends the same bytes, and must be answered with the same") {
  order_text text("Host: localhost", 7, two_items);
  findings noted;
  create_workload workload(text, {1, 1}, 1, noted);
  std::map<std::string, owned_answer> executed;  // by request
  for (std::uint64_t turn = 1; turn <= create_workload::repeatable_max; ++turn) {
    const std::string sent(workload.next_request());
    REQUIRE(workload.kind() == request_kind::create);
    const auto answered = created({.high = first_order.high, .low = turn}, turn);
    REQUIRE(workload.judge(answered) == verdict::right);
    executed.emplace(sent, answered);
  }

  const auto known = executed.find(std::string(workload.next_request()));
  CHECK(workload.kind() == request_kind::repeat);
  REQUIRE(known != executed.end());
  const auto& right = known->second;
  const auto replayed = right.with_header("Idempotency-Replayed: true");
  CHECK(workload.judge(replayed) == verdict::right);
  CHECK(workload.judge(right) == verdict::wrong_header);  // executed again, or so it says
  CHECK(workload.judge(right.with_header("Idempotency-Replayed: false")) == verdict::wrong_header);
  CHECK(workload.judge(replayed.with("ETag: \"1\"", "ETag: \"2\"")) == verdict::wrong_header);
  CHECK(workload.judge(replayed.with("Location: /", "Location: ")) == verdict::wrong_header);
  CHECK(workload.judge(replayed.with("{\"code\"", "{ \"code\"")) == verdict::wrong_body);
  CHECK(workload.judge(replayed.with("0190b3f2", "0190b3f3")) == verdict::wrong_body);
  auto other_status = replayed;
  other_status.status = 200;
  CHECK(workload.judge(other_status) == verdict::wrong_status);
  CHECK(noted.created.size() == create_workload::repeatable_max);
}

TEST_CASE("repeats come in their share, of many different creates, each with its own answer") {
  order_text text("Host: localhost", 7, two_items);
  findings noted;
  create_workload workload(text, {42, 1}, 0.25, noted);
  std::map<std::string, owned_answer> executed;  // by request
  std::map<std::string, int> repeats;
  constexpr int count = 4000;
  for (int i = 0; i < count; ++i) {
    const std::string sent(workload.next_request());
    const auto known = executed.find(sent);
    REQUIRE((workload.kind() == request_kind::repeat) == (known != executed.end()));
    if (known != executed.end()) {
      ++repeats[sent];
      REQUIRE(workload.judge(known->second.with_header("Idempotency-Replayed: true")) == verdict::right);
      continue;
    }
    const std::uint64_t turn = executed.size() + 1;
    const auto answered = created({.high = 1, .low = turn}, turn);
    REQUIRE(workload.judge(answered) == verdict::right);
    executed.emplace(sent, answered);
  }
  const double share = 1 - static_cast<double>(executed.size()) / count;
  CHECK(share == Approx(0.25).margin(0.035));
  CHECK(repeats.size() > 500);
}

TEST_CASE("an update continues from the version that it received, and accepts no other") {
  order_text text("Host: localhost", 7, two_items);
  std::vector<known_order> orders{{.id = first_order, .version = 4, .turn = 8}};
  update_workload workload(text, orders, {1, 1}, 0);
  const std::string sent(workload.next_request());
  CHECK(workload.kind() == request_kind::update);
  CHECK(sent.starts_with("PUT /api/v1/orders/" + uuid_text(first_order)));
  CHECK(between(sent, R"("version":)", ",") == "         4");
  CHECK(between(sent, R"("turn":")", "\"") == "0000000009");

  const auto right = updated(first_order, 5, 9);
  CHECK(workload.judge(stale_answer(5, 4)) == verdict::wrong_status);
  CHECK(workload.judge(updated(first_order, 6, 9)) == verdict::wrong_header);
  CHECK(workload.judge(updated(first_order, 4, 9)) == verdict::wrong_header);
  CHECK(workload.judge(right.with(R"("version":5)", R"("version":4)")) == verdict::wrong_body);
  CHECK(workload.judge(updated(second_order, 5, 9)) == verdict::wrong_body);
  CHECK(workload.judge(updated(first_order, 5, 8)) == verdict::wrong_body);
  CHECK(workload.judge(right.with_header("Idempotency-Replayed: true")) == verdict::wrong_header);
  CHECK(orders.front().version == 4);
  CHECK(workload.judge(right) == verdict::right);
  CHECK(orders.front().version == 5);
  CHECK(between(workload.next_request(), R"("version":)", ",") == "         5");
  CHECK(workload.judge(updated(first_order, 6, 10)) == verdict::right);
}

TEST_CASE("an update against an old version must be refused, with both versions named") {
  order_text text("Host: localhost", 7, two_items);
  std::vector<known_order> orders{{.id = first_order, .version = 1, .turn = 0}};
  update_workload workload(text, orders, {1, 1}, 1);
  CHECK(between(workload.next_request(), R"("version":)", ",") == "         1");  // there is no older one
  CHECK(workload.kind() == request_kind::update);
  REQUIRE(workload.judge(updated(first_order, 2, 1)) == verdict::right);

  CHECK(between(workload.next_request(), R"("version":)", ",") == "         1");
  CHECK(workload.kind() == request_kind::stale_update);
  CHECK(workload.judge(updated(first_order, 3, 2)) == verdict::wrong_status);  // a lost update
  CHECK(workload.judge(stale_answer(2, 1)) == verdict::stale);
  CHECK(workload.judge(stale_answer(3, 1)) == verdict::wrong_body);
  CHECK(workload.judge(stale_answer(2, 2)) == verdict::wrong_body);
  CHECK(workload.judge(stale_answer(2, 1).with("3043", "409")) == verdict::wrong_body);
  CHECK(workload.judge(stale_answer(2, 1).with(R"("message":"data)", R"("message":"date)")) == verdict::wrong_body);
  CHECK(workload.judge(stale_answer(2, 1).with("409", "412")) == verdict::stale);  // the status line counts
  auto other_status = stale_answer(2, 1);
  other_status.status = 412;
  CHECK(workload.judge(other_status) == verdict::wrong_status);
  CHECK(orders.front().version == 2);
}

TEST_CASE("a get must show what the last answer left") {
  order_text text("Host: localhost", 7, two_items);
  std::vector<known_order> orders{{.id = first_order, .version = 3, .turn = 5}};
  get_workload workload("Host: localhost", text, orders, {1, 1});
  CHECK(workload.next_request() ==
        "GET /api/v1/orders/" + uuid_text(first_order) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto right = order_answer(200, "ok", first_order, 3, 5);
  CHECK(workload.judge(order_answer(200, "ok", second_order, 3, 5)) == verdict::wrong_body);
  CHECK(workload.judge(order_answer(200, "ok", first_order, 2, 5)) == verdict::wrong_header);
  CHECK(workload.judge(order_answer(200, "ok", first_order, 3, 4)) == verdict::wrong_body);
  CHECK(workload.judge(right.with("c-000007", "c-000008")) == verdict::wrong_body);
  CHECK(workload.judge(order_answer(201, "ok", first_order, 3, 5)) == verdict::wrong_status);
  CHECK(workload.judge(right) == verdict::right);
}

TEST_CASE("until its order changes, a get must show the same byte for byte") {
  order_text text("Host: localhost", 7, two_items);
  std::vector<known_order> orders{{.id = first_order, .version = 3, .turn = 5}};
  get_workload workload("Host: localhost", text, orders, {1, 1});
  (void)workload.next_request();
  const auto right = order_answer(200, "ok", first_order, 3, 5);
  const auto reworded = right.with(R"({"code")", R"({ "code")");
  CHECK(workload.judge(right) == verdict::right);
  CHECK(workload.judge(right) == verdict::right);
  CHECK(workload.judge(reworded) == verdict::wrong_body);
  CHECK(workload.judge(order_answer(201, "ok", first_order, 3, 5)) == verdict::wrong_status);
  auto other_etag = right;
  other_etag.headers = order_answer(200, "ok", first_order, 2, 5).headers;
  CHECK(workload.judge(other_etag) == verdict::wrong_header);

  orders.front() = {.id = first_order, .version = 4, .turn = 6};
  (void)workload.next_request();
  CHECK(workload.judge(right) == verdict::wrong_header);
  CHECK(workload.judge(order_answer(200, "ok", first_order, 4, 6)) == verdict::right);
}

TEST_CASE("reads and updates go over all orders of the connection") {
  order_text text("Host: localhost", 7, two_items);
  std::vector<known_order> orders;
  for (std::uint64_t i = 0; i < 10; ++i) orders.push_back({.id = {.high = 1, .low = i}, .version = 1, .turn = 0});
  get_workload reads("Host: localhost", text, orders, {1, 1});
  update_workload writes(text, orders, {1, 2}, 0);
  std::map<std::string, int> read;
  std::map<std::string, int> written;
  for (int i = 0; i < 1000; ++i) {
    ++read[between(reads.next_request(), "/orders/", " ")];
    ++written[between(writes.next_request(), "/orders/", " ")];
  }
  CHECK(read.size() == 10);
  CHECK(written.size() == 10);
}

}  // namespace
}  // namespace ordem::bench
