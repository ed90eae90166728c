// bare-beast: the ceiling of this HTTP stack. It reads each request whole and answers one constant order; it parses no
// JSON, keeps nothing and has no time limits. What the engine costs is measured against it, never against nothing.
//
// Each thread has its own io_context and its own connections; one acceptor, on the first of them, hands new
// connections out in turn. SIGTERM or SIGINT ends it.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

// Naming the executor spares the type-erased one at every step.
using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<tcp, executor>;
using tcp_acceptor = asio::basic_socket_acceptor<tcp, executor>;
using task = asio::awaitable<void, executor>;
constexpr asio::as_tuple_t<asio::use_awaitable_t<executor>> with_error;

using contexts = std::vector<std::unique_ptr<asio::io_context>>;

constexpr std::uint64_t body_bytes_max = std::uint64_t{1024} * 1024;

constexpr const char* order =
    R"({"code":201,"message":"order created","order":{"order_id":"0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f","version":1,)"
    R"("status":"new","customer_id":"c-1001","currency":"EUR","items":[{"sku":"A-1","quantity":2,"unit_price":1999}],)"
    R"("total":3998,"attributes":{"channel":"web"},"created_at":"2026-11-22T10:15:30.123Z",)"
    R"("updated_at":"2026-11-22T10:15:30.123Z"}})";

http::response<http::string_body> answer_to(const http::request<http::string_body>& request) {
  http::response<http::string_body> response(http::status::created, request.version());
  response.set(http::field::content_type, "application/json");
  response.keep_alive(request.keep_alive());
  response.body() = order;
  response.prepare_payload();
  return response;
}

task serve(tcp_socket socket) {
  beast::flat_buffer buffer;
  while (true) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(body_bytes_max);
    const auto [read_error, read_bytes] = co_await http::async_read(socket, buffer, parser, with_error);
    if (read_error) co_return;  // the client left, or does not speak HTTP
    const auto response = answer_to(parser.get());
    const auto [write_error, written_bytes] = co_await http::async_write(socket, response, with_error);
    if (write_error || !response.keep_alive()) co_return;
  }
}

// Runs until the acceptor is closed; then stops everything.
task hand_out_connections(tcp_acceptor& acceptor, const contexts& threads) {
  for (std::size_t turn = 0; acceptor.is_open(); ++turn) {
    asio::io_context& context = *threads[turn % threads.size()];
    auto [error, socket] = co_await acceptor.async_accept(context, with_error);
    if (error) continue;
    socket.set_option(tcp::no_delay(true), error);
    asio::co_spawn(context, serve(std::move(socket)), asio::detached);
  }
  for (const auto& each : threads) each->stop();
}

void run(std::uint16_t port, unsigned io_threads) {
  contexts all;
  for (unsigned i = 0; i < io_threads; ++i) all.push_back(std::make_unique<asio::io_context>(1));
  asio::io_context& first = *all.front();

  tcp_acceptor acceptor(first, tcp::endpoint(asio::ip::address_v4::loopback(), port));
  asio::signal_set signals(first, SIGTERM, SIGINT);
  signals.async_wait([&acceptor](const boost::system::error_code& cancelled, int) {
    if (!cancelled) acceptor.close();
  });
  asio::co_spawn(first, hand_out_connections(acceptor, all), asio::detached);
  std::cout << "listening on 127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;

  std::vector<std::jthread> threads;
  for (const auto& each : all) {
    threads.emplace_back([&context = *each] {
      const auto work = asio::make_work_guard(context);  // a thread may have no connection yet
      context.run();
    });
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Answers every request with the same order", "bare-beast");
  std::uint16_t port = 0;
  unsigned io_threads = std::max(1U, std::thread::hardware_concurrency());
  app.add_option("--port", port, "Port on 127.0.0.1; 0 takes a free one")->capture_default_str();
  app.add_option("--io-threads", io_threads, "Threads, each with its own connections")
      ->check(CLI::Range(1U, 256U))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    run(port, io_threads);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "bare-beast: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
