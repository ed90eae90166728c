#include "bench/load/closed_loop.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <catch2/catch.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "bench/load/uuid.hpp"

namespace ordem::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using request = http::request<http::string_body>;
using response = http::response<http::string_body>;

struct silence {};
struct hang_up {};
using reaction = std::variant<response, silence, hang_up>;

// Serves one connection on a thread of its own, as `react` says, which is told how many requests came before.
class toy_server {
 public:
  using reactor = std::function<reaction(const request&, std::uint64_t before)>;

  explicit toy_server(reactor react)
      : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        thread_([this, react = std::move(react)] { serve(react); }) {}

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// Requests read until the connection ended; waits for that.
  std::uint64_t requests() {
    thread_.join();
    return requests_;
  }

 private:
  void serve(const reactor& react) {
    auto socket = acceptor_.accept();
    beast::flat_buffer buffer;
    for (;; ++requests_) {
      request asked;
      beast::error_code error;
      http::read(socket, buffer, asked, error);
      if (error) return;
      auto given = react(asked, requests_);
      if (std::holds_alternative<hang_up>(given)) return;
      if (auto* answer = std::get_if<response>(&given)) http::write(socket, *answer, error);
    }
  }

  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::uint64_t requests_ = 0;
  std::jthread thread_;
};

// The order with this number, as the first connection of a run would have created it.
response order_answer(http::status status, std::uint64_t number) {
  std::array<char, uuid_text_bytes> id{};
  write_uuid({.high = 1, .low = number}, id);
  response answer(status, 11);
  answer.body() = R"({"order":{"order_id":")" + std::string(id.data(), id.size()) +
                  R"(","customer_id":"c-000000","items":[{"sku":"s-000000-000001"}]}})";
  answer.prepare_payload();
  return answer;
}

load_plan short_plan(std::uint16_t port, scenario what = scenario::create) {
  load_plan plan;
  plan.port = port;
  plan.what = what;
  plan.connections = 1;
  plan.warmup = std::chrono::milliseconds(0);
  plan.duration = std::chrono::milliseconds(50);
  plan.patience = std::chrono::milliseconds(100);
  plan.seed = 42;
  return plan;
}

TEST_CASE("right answers are counted and timed, and have no errors") {
  toy_server server([](const request&, std::uint64_t before) { return order_answer(http::status::created, before); });
  const auto result = run_closed_loop(short_plan(server.port()));
  const auto requests = server.requests();
  CHECK(result.errors.total() == 0);
  CHECK(result.first_complaint.empty());
  CHECK(requests > 1);
  CHECK(result.latency.count() == requests);
  CHECK(result.answers <= requests);
  CHECK(result.answers + 1 >= requests);  // the last one may have come after the end
  CHECK(result.answer_body_bytes == result.answers * order_answer(http::status::created, 0).body().size());
  CHECK(result.latency.max() > std::chrono::nanoseconds(0));
}

TEST_CASE("each create has a GUID of its own, in the form of a UUID") {
  std::vector<uuid> guids;
  toy_server server([&](const request& asked, std::uint64_t before) {
    const std::string guid(asked["Idempotency-Key"]);
    guids.push_back(parse_uuid(guid.substr(1, guid.size() - 2)).value_or(uuid{}));
    return order_answer(http::status::created, before);
  });
  const auto result = run_closed_loop(short_plan(server.port()));
  CHECK(server.requests() == guids.size());
  CHECK(result.errors.total() == 0);
  std::ranges::sort(guids);
  CHECK(std::ranges::adjacent_find(guids) == guids.end());
  CHECK(guids.front() != uuid{});
}

TEST_CASE("an order that comes with two creates is an error, even with others between") {
  toy_server server([](const request&, std::uint64_t before) {
    return order_answer(http::status::created, before == 2 ? 0 : before);
  });
  const auto result = run_closed_loop(short_plan(server.port()));
  CHECK(server.requests() > 2);
  CHECK(result.errors.repeated_order == 1);
  CHECK(result.errors.total() == 1);
  CHECK_FALSE(result.first_complaint.empty());
}

TEST_CASE("wrong status and wrong body are counted apart, and the load goes on") {
  toy_server server([](const request&, std::uint64_t before) {
    auto answer = order_answer(before == 1 ? http::status::service_unavailable : http::status::created, before);
    if (before == 2) answer.body() = "{}";
    answer.prepare_payload();
    return answer;
  });
  const auto result = run_closed_loop(short_plan(server.port()));
  CHECK(server.requests() > 3);
  CHECK(result.errors.wrong_status == 1);
  CHECK(result.errors.wrong_body == 1);
  CHECK(result.errors.total() == 2);
  CHECK(result.first_complaint.starts_with("wrong status: 503 "));
}

TEST_CASE("a connection that the server closes is an error") {
  toy_server server([](const request&, std::uint64_t before) -> reaction {
    if (before == 3) return hang_up{};
    return order_answer(http::status::created, before);
  });
  const auto result = run_closed_loop(short_plan(server.port()));
  CHECK(server.requests() == 3);
  CHECK(result.errors.broken == 1);
  CHECK(result.errors.total() == 1);
  CHECK(result.latency.count() == 4);
}

TEST_CASE("an answer that never comes is an error, and counts with the time waited for it") {
  toy_server server([](const request&, std::uint64_t before) -> reaction {
    if (before == 3) return silence{};
    return order_answer(http::status::created, before);
  });
  const auto plan = short_plan(server.port());
  const auto result = run_closed_loop(plan);
  CHECK(server.requests() == 4);
  CHECK(result.errors.unanswered == 1);
  CHECK(result.errors.total() == 1);
  CHECK(result.latency.count() == 4);
  CHECK(result.latency.max() >= plan.patience);
}

TEST_CASE("an answer without Content-Length ends its connection") {
  toy_server server([](const request&, std::uint64_t before) {
    auto answer = order_answer(http::status::created, before);
    answer.chunked(true);
    return answer;
  });
  const auto result = run_closed_loop(short_plan(server.port()));
  CHECK(result.errors.broken == 1);
  CHECK(result.errors.total() == 1);
}

TEST_CASE("a get run creates its order first and reads only that") {
  std::uint64_t reads = 0;
  toy_server server([&](const request& asked, std::uint64_t) {
    if (asked.method() == http::verb::post) return order_answer(http::status::created, 5);
    ++reads;
    const bool is_it = asked.target() == "/api/v1/orders/00000000-0000-0001-0000-000000000005";
    return order_answer(is_it ? http::status::ok : http::status::not_found, 5);
  });
  const auto result = run_closed_loop(short_plan(server.port(), scenario::get));
  CHECK(server.requests() == reads + 1);
  CHECK(reads > 0);
  CHECK(result.errors.total() == 0);
  CHECK(result.latency.count() == reads);
}

TEST_CASE("a get run without an order to read is told by an exception") {
  const auto [react, message] = GENERATE(table<toy_server::reactor, std::string>({
      {[](const request&, std::uint64_t) { return silence{}; }, "cannot create an order to read: unanswered"},
      {[](const request&, std::uint64_t) { return hang_up{}; }, "cannot create an order to read: End of file"},
      {[](const request&, std::uint64_t) { return order_answer(http::status::ok, 1); },
       "cannot create an order to read: 200 " + order_answer(http::status::ok, 1).body()},
  }));
  toy_server server(react);
  CHECK_THROWS_WITH(run_closed_loop(short_plan(server.port(), scenario::get)), Catch::StartsWith(message));
}

TEST_CASE("a server that is not there is told by an exception") {
  std::uint16_t closed_port = 0;
  {
    asio::io_context context;
    closed_port = tcp::acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)).local_endpoint().port();
  }
  CHECK_THROWS_WITH(run_closed_loop(short_plan(closed_port)), Catch::StartsWith("cannot connect to 127.0.0.1:"));
}

}  // namespace
}  // namespace ordem::bench
