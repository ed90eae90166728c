#include "bench/load/capture_workload.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "tests/bench/answers.hpp"

namespace ordem::bench {
namespace {

owned_answer empty(unsigned status) {
  return {.status = status, .body = "", .headers = "Content-Length: 0\r\n"};
}

std::string body_of(std::string_view request) {
  return std::string(request.substr(request.find("\r\n\r\n") + 4));
}

// A server shows the record as it came in.
owned_answer recorded(std::string_view post) {
  return {.status = 200, .body = body_of(post), .headers = ""};
}

TEST_CASE("a capture goes its whole way with one key, and then with another") {
  capture_workload workload("Host: localhost", {1, 1}, 0);
  std::string key_before;
  for (int i = 0; i < 3; ++i) {
    const std::string allocation(workload.next_request());
    CHECK(workload.kind() == request_kind::allocate);
    const auto key = between(allocation, R"({"idempotency_key":")", "\"");
    CHECK(allocation ==
          "PUT /api/v2/captures HTTP/1.1\r\nHost: localhost\r\nContent-Length: 58\r\n\r\n"
          R"({"idempotency_key":")" +
              key + R"("})");
    CHECK(parse_uuid(key));
    CHECK(key != key_before);
    key_before = key;
    REQUIRE(workload.judge(empty(202)) == verdict::right);

    const std::string record(workload.next_request());
    CHECK(workload.kind() == request_kind::record);
    CHECK(record.starts_with("POST /api/v2/captures "));
    CHECK(between(record, "Content-Length: ", "\r\n") == std::to_string(body_of(record).size()));
    CHECK(between(record, R"({"idempotency_key":")", "\"") == key);
    REQUIRE(workload.judge(empty(200)) == verdict::right);

    CHECK(workload.next_request() == allocation);
    CHECK(workload.kind() == request_kind::read_capture);
    REQUIRE(workload.judge(recorded(record)) == verdict::right);
  }
}

TEST_CASE("wrong answers to captures are reported, and the next key starts over") {
  capture_workload workload("Host: localhost", {1, 1}, 0);
  (void)workload.next_request();
  CHECK(workload.judge(empty(409)) == verdict::wrong_status);
  (void)workload.next_request();
  REQUIRE(workload.kind() == request_kind::allocate);
  CHECK(workload.judge(owned_answer{.status = 202, .body = "{}", .headers = ""}) == verdict::wrong_body);
  (void)workload.next_request();
  REQUIRE(workload.judge(empty(202)) == verdict::right);
  (void)workload.next_request();
  CHECK(workload.judge(empty(403)) == verdict::wrong_status);
  (void)workload.next_request();
  REQUIRE(workload.kind() == request_kind::allocate);
  REQUIRE(workload.judge(empty(202)) == verdict::right);
  const std::string record(workload.next_request());
  REQUIRE(workload.judge(empty(200)) == verdict::right);
  (void)workload.next_request();

  const auto right = recorded(record);
  CHECK(workload.judge(empty(202)) == verdict::wrong_status);  // allocated twice
  CHECK(workload.judge(empty(409)) == verdict::wrong_status);
  CHECK(workload.judge(empty(200)) == verdict::wrong_body);
  CHECK(workload.judge(right.with(R"("idempotency_key":")", R"("idempotency_key":"0)")) == verdict::wrong_body);
  CHECK(workload.judge(right.with("201", "200")) == verdict::wrong_body);
  CHECK(workload.judge(right.with(R"("response_body":")", R"("response_body":"0)")) == verdict::wrong_body);
  CHECK(workload.judge(right.with("X-Load", "X-Lead")) == verdict::wrong_body);
  CHECK(workload.judge(right.with("captured", "")) == verdict::wrong_body);
  CHECK(workload.judge(right) == verdict::right);
}

TEST_CASE("a record is filled up to the size that was asked for") {
  capture_workload workload("Host: localhost", {1, 1}, 1000);
  (void)workload.next_request();
  REQUIRE(workload.judge(empty(202)) == verdict::right);
  CHECK(body_of(workload.next_request()).size() == 1000);
  CHECK_THROWS(capture_workload("Host: localhost", {1, 1}, 100));
}

}  // namespace
}  // namespace ordem::bench
