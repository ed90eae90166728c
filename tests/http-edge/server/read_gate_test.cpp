// Reads that wait for the read gate, through a running server and its sockets.
#include "engine/ports/read_gate.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <cstdlib>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http-edge/server/server.hpp"
#include "tests/http-edge/exchange.hpp"
#include "tests/http-edge/feed/fake_changes.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;

// A gate that is closed, and whose waits end when the test says so. Thread-safe.
class fake_gate final : public read_gate {
 public:
  bool is_open() const noexcept override { return false; }
  void wait(std::function<void(bool opened)> done) override {
    const std::lock_guard lock(mutex_);
    waits_.push_back(std::move(done));
    changed_.notify_all();
  }
  // Waits until there have been that many waits.
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return waits_.size() >= count; }));
  }
  // Ends the wait of that number, from 0.
  void end(std::size_t which, bool opened) {
    std::function<void(bool)> done;
    {
      const std::lock_guard lock(mutex_);
      done = waits_.at(which);
    }
    done(opened);
  }
  std::size_t waits() const {
    const std::lock_guard lock(mutex_);
    return waits_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void(bool)>> waits_;
};

class no_captures final : public capture_reader {
 public:
  read_result<shared_capture> find_capture(std::string_view, const capture_key&, const clock_reading&) const override {
    return nullptr;
  }
};

class no_messages final : public message_port {
 public:
  void submit(std::vector<submission>&&) override { std::abort(); }  // no test writes
};

struct gated_server {
  fake_gate gate;
  fake_orders orders;
  fake_changes changes;
  no_captures captures;
  no_messages messages;
  manual_clock clock;
  service_status status;
  std::optional<server> running;

  explicit gated_server(server_settings settings = {}) {
    settings.port = 0;
    settings.io_threads = 1;
    server_parts parts;
    parts.clock = &clock;
    parts.status = &status;
    running.emplace(std::move(settings), std::move(parts));
    running->attach_engine(orders, changes, captures, messages, [](completion_queue&) { return 0U; }, &gate);
    status.set_ready();
    REQUIRE(running->start());
  }
  // For callbacks of the gate that come later.
  void stop() { running.reset(); }
};

// One connection.
class client {
 public:
  explicit client(gated_server& to) : socket_(loop_) {
    socket_.connect({boost::asio::ip::make_address("127.0.0.1"), to.running->listeners().front().port});
  }
  void send_get(const std::string& target, const std::string& headers = {}) {
    boost::asio::write(socket_,
                       boost::asio::buffer("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n"));
  }
  http::response<http::string_body> read() {
    http::response<http::string_body> answer;
    http::read(socket_, buffer_, answer);
    return answer;
  }
  void close() { socket_.close(); }

 private:
  boost::asio::io_context loop_;
  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
};

bool is_problem(const http::response<http::string_body>& what, std::string_view slug) {
  return what.result_int() == 503 && what["Retry-After"] == "1" &&
         what.body().starts_with("{\"type\":\"/problems/" + std::string(slug) + '"');
}

TEST_CASE("a read begins when the gate has opened, and holds up no other connection meanwhile") {
  for (const std::string& target : {contract_path, contract_path + "/versions", contract_path + "/versions/1",
                                    std::string("/api/v1/orders?customer_id=c-1001")}) {
    CAPTURE(target);
    gated_server tested;
    client reader(tested);
    client other(tested);
    reader.send_get(target);
    tested.gate.wait_for(1);
    other.send_get("/-/ping");
    CHECK(other.read().result_int() == 200);
    tested.orders.add(contract_order(order_status::fresh, {1}));  // not there when the read arrived
    tested.gate.end(0, true);
    const auto answer = reader.read();
    CHECK(answer.result_int() == 200);
    CHECK(answer.body().find(contract_id_text) != std::string::npos);
    CHECK(answer["Ordem-Position"].empty());
  }
}

TEST_CASE("a pipeline of reads waits one read after the other") {
  gated_server tested;
  tested.orders.add(contract_order(order_status::fresh, {1}));
  client reader(tested);
  reader.send_get(contract_path);
  reader.send_get(contract_path);
  tested.gate.wait_for(1);
  tested.gate.end(0, true);
  CHECK(reader.read().result_int() == 200);
  tested.gate.wait_for(2);
  tested.gate.end(1, true);
  CHECK(reader.read().result_int() == 200);
}

TEST_CASE("a read for which the gate does not open gets 503 no-owner, in the form of its resource") {
  gated_server tested;
  client reader(tested);
  reader.send_get(contract_path);
  tested.gate.wait_for(1);
  tested.gate.end(0, false);
  CHECK(is_problem(reader.read(), "no-owner"));
  reader.send_get("/api/v2/captures/aw");  // the connection has stayed open
  tested.gate.wait_for(2);
  tested.gate.end(1, false);
  const auto of_capture = reader.read();
  CHECK(of_capture.result_int() == 503);
  CHECK(of_capture["Retry-After"] == "1");
  CHECK(of_capture.body() == "{\"error\":\"" + std::string(no_owner_detail) + "\"}");
}

TEST_CASE("a stale read does not wait, and says which position it shows at least") {
  gated_server tested;
  tested.orders.add(contract_order(order_status::fresh, {1}));
  tested.orders.show_up_to(position{17});
  client reader(tested);
  reader.send_get(contract_path, "Ordem-Read: stale\r\n");
  const auto answer = reader.read();
  CHECK(answer.result_int() == 200);
  CHECK(answer["Ordem-Position"] == "17");
  CHECK(tested.gate.waits() == 0);
}

TEST_CASE("a read that the gate forgets ends at the request timeout, and is not answered twice") {
  server_settings settings;
  settings.request_timeout = std::chrono::milliseconds(1);
  gated_server tested(settings);
  tested.orders.add(contract_order(order_status::fresh, {1}));
  client reader(tested);
  reader.send_get(contract_path);
  CHECK(is_problem(reader.read(), "no-owner"));
  reader.send_get(contract_path);
  tested.gate.wait_for(2);
  tested.gate.end(0, true);  // that of the first read opens no gate for the second
  CHECK(is_problem(reader.read(), "no-owner"));
}

TEST_CASE("more waiting reads than the bound are refused at once") {
  server_settings settings;
  settings.waiting_reads_max = 1;
  gated_server tested(settings);
  tested.orders.add(contract_order(order_status::fresh, {1}));
  client first(tested);
  client second(tested);
  first.send_get(contract_path);
  tested.gate.wait_for(1);
  second.send_get(contract_path);
  CHECK(is_problem(second.read(), "overloaded"));
  tested.gate.end(0, true);
  CHECK(first.read().result_int() == 200);
  second.send_get(contract_path);  // there is room again
  tested.gate.wait_for(2);
  tested.gate.end(1, true);
  CHECK(second.read().result_int() == 200);
}

TEST_CASE("a client that has gone does no harm when the gate opens") {
  gated_server tested;
  client gone(tested);
  gone.send_get(contract_path);
  tested.gate.wait_for(1);
  gone.close();
  tested.gate.end(0, true);
  client other(tested);
  other.send_get("/-/ping");
  CHECK(other.read().result_int() == 200);
}

TEST_CASE("a read that waits at the end of a drain is refused, and a gate that opens after the end does no harm") {
  gated_server tested;
  client reader(tested);
  reader.send_get(contract_path);
  tested.gate.wait_for(1);
  auto answer = std::async(std::launch::async, [&] {
    auto read = reader.read();
    reader.close();
    return read;
  });
  tested.running->begin_drain();
  tested.running->finish_drain(std::chrono::milliseconds(100));
  CHECK(is_problem(answer.get(), "draining"));
  tested.stop();
  tested.gate.end(0, true);
}

TEST_CASE("a read that waits during a drain is answered as the last one of its connection") {
  gated_server tested;
  tested.orders.add(contract_order(order_status::fresh, {1}));
  client reader(tested);
  reader.send_get(contract_path);
  tested.gate.wait_for(1);
  tested.running->begin_drain();
  tested.gate.end(0, true);
  const auto answer = reader.read();
  CHECK(answer.result_int() == 200);
  CHECK(answer["Connection"] == "close");
}

TEST_CASE("a server that stops while a read waits leaves nothing to the gate") {
  gated_server tested;
  client reader(tested);
  reader.send_get(contract_path);
  tested.gate.wait_for(1);
  tested.stop();
  tested.gate.end(0, true);
}

}  // namespace
}  // namespace ordem::http_edge
