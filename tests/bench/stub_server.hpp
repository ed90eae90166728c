// A server for tests of load runs: one connection, answered as the test says, rightly or not.
#pragma once

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include "bench/load/load_plan.hpp"
#include "bench/load/uuid.hpp"
#include "tests/bench/answers.hpp"

namespace ordem::bench {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using request = http::request<http::string_body>;
using response = http::response<http::string_body>;

struct silence {};
struct hang_up {};
using reaction = std::variant<response, silence, hang_up>;

// Serves one connection at a time, and another only if an answer has ended the one before, on its own thread, as
// `react` says, which is told how many requests came before.
class stub_server {
 public:
  using reactor = std::function<reaction(const request&, std::uint64_t before)>;

  explicit stub_server(reactor react)
      : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        port_(acceptor_.local_endpoint().port()),
        thread_([this, react = std::move(react)] { serve(react); }) {}

  // A run may end while the next connection is waited for.
  ~stub_server() { ::shutdown(acceptor_.native_handle(), SHUT_RDWR); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// On its own thread: takes no more connections.
  void close_acceptor() { acceptor_.close(); }
  /// Requests read until the connection ended; waits for that.
  std::uint64_t requests() {
    thread_.join();
    return requests_;
  }

 private:
  void serve(const reactor& react) {
    beast::error_code error;
    auto socket = acceptor_.accept(error);
    beast::flat_buffer buffer;
    for (; !error; ++requests_) {
      request asked;
      http::read(socket, buffer, asked, error);
      if (error) return;
      auto given = react(asked, requests_);
      if (std::holds_alternative<hang_up>(given)) return;
      auto* answer = std::get_if<response>(&given);
      if (answer == nullptr) continue;
      http::write(socket, *answer, error);
      if (answer->keep_alive()) continue;
      if (!acceptor_.is_open()) return;
      buffer.clear();
      socket = acceptor_.accept(error);
    }
  }

  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::uint16_t port_;
  std::uint64_t requests_ = 0;
  std::jthread thread_;
};

// The order with this number, as the first connection of a run would have created it, with what was asked for.
inline response order_reply(const request& asked, http::status status, std::uint64_t number, std::string_view message,
                            std::uint64_t version = 1) {
  const auto turn = between(asked.body(), R"("turn":")", "\"");
  const auto model = order_answer(static_cast<unsigned>(status), message, {.high = 1, .low = number}, version,
                                  turn.empty() ? 1 : std::stoull(turn))
                         .with("c-000007", "c-000000")
                         .with("s-000007-000002", "s-000000-000001")
                         .with("7996", "3998");
  response answer(status, 11);
  answer.set(http::field::etag, '"' + std::to_string(version) + '"');
  answer.set(http::field::location, "/api/v1/orders/" + uuid_text({.high = 1, .low = number}));
  answer.body() = model.body;
  answer.prepare_payload();
  return answer;
}

inline response creation(const request& asked, std::uint64_t number, http::status status = http::status::created) {
  return order_reply(asked, status, number, "order created");
}

inline load_plan short_plan(std::uint16_t port, scenario what = scenario::create) {
  load_plan plan;
  plan.port = port;
  plan.workloads.what = what;
  plan.connections = 1;
  plan.warmup = std::chrono::milliseconds(0);
  plan.duration = std::chrono::milliseconds(50);
  plan.patience = std::chrono::milliseconds(100);
  plan.seed = 42;
  return plan;
}

}  // namespace ordem::bench
