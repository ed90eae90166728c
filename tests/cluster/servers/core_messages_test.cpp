#include "cluster/nats/core_messages.hpp"

#include <atomic>
#include <future>
#include <thread>

#include "tests/cluster/servers/servers.hpp"

namespace ordem::cluster {
namespace {

using answers = waiting_queue<std::optional<std::string>>;

TEST_CASE("a message comes to all who subscribe, and a request is answered by one") {
  const auto here = connect();
  const auto there = connect();
  core_messages ours(*here);
  core_messages theirs(*there);
  const std::string subject = "test.core." + std::to_string(::getpid());
  waiting_queue<core_message> messages;
  REQUIRE(theirs.subscribe(subject, [&](core_message&& message) {
    if (!message.reply_to.empty()) theirs.publish(message.reply_to, "answer to " + message.body);
    messages.push(std::move(message));
  }));
  // The subscription reaches the server of this connection with the first answer.
  answers got;
  std::optional<std::optional<std::string>> answer;
  while (!answer || !*answer) {
    ours.request(subject, "hello", patience, [&](std::optional<std::string> body) { got.push(std::move(body)); });
    answer = got.pop(patience);
    REQUIRE(answer);
  }
  CHECK(**answer == "answer to hello");
  REQUIRE(ours.publish(subject, std::string("\0\1", 2)));
  for (;;) {
    const auto message = messages.pop(patience);
    REQUIRE(message);
    CHECK(message->subject == subject);
    if (!message->reply_to.empty()) continue;
    CHECK(message->body == std::string("\0\1", 2));
    break;
  }
  CHECK(theirs.dropped() == 0);
}

TEST_CASE("a request without a subscriber fails at once, and one without an answer after its time") {
  const auto connection = connect();
  core_messages ours(*connection);
  answers got;
  const auto done = [&](std::optional<std::string> body) { got.push(std::move(body)); };
  ours.request("test.core.none", "x", std::chrono::hours(1), done);
  auto answer = got.pop(patience);
  REQUIRE(answer);
  CHECK_FALSE(*answer);
  REQUIRE(ours.subscribe("test.core.silent", [](core_message&&) {}));
  const auto began = std::chrono::steady_clock::now();
  ours.request("test.core.silent", "x", std::chrono::milliseconds(50), done);
  answer = got.pop(patience);
  REQUIRE(answer);
  CHECK_FALSE(*answer);
  CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(50));
}

TEST_CASE("requests beyond the bound fail at once, and the others at the end") {
  std::atomic<std::size_t> failed{0};
  {
    const auto connection = connect();
    core_messages ours(*connection);
    REQUIRE(ours.subscribe("test.core.silent2", [](core_message&&) {}));
    const auto done = [&](std::optional<std::string> body) {
      if (!body) ++failed;
    };
    for (std::size_t i = 0; i < core_requests_max; ++i)
      ours.request("test.core.silent2", "x", std::chrono::hours(1), done);
    CHECK(failed == 0);
    ours.request("test.core.silent2", "x", std::chrono::hours(1), done);
    CHECK(failed == 1);
  }
  CHECK(failed == core_requests_max + 1);
}

TEST_CASE("a subscription may end while messages for it arrive") {
  const auto connection = connect();
  const auto publisher = connect();
  core_messages theirs(*publisher);
  std::atomic<bool> stops{false};
  std::thread publishing([&] {
    while (!stops) theirs.publish("test.core.ends", "x");
  });
  for (int i = 0; i < 200; ++i) {
    std::promise<void> came;
    std::once_flag first;
    core_messages ours(*connection);
    CHECK(ours.subscribe("test.core.ends", [&](core_message&&) { std::call_once(first, [&] { came.set_value(); }); }));
    CHECK(came.get_future().wait_for(patience) == std::future_status::ready);
  }
  stops = true;
  publishing.join();
}

TEST_CASE("without a connection nothing is sent and a request fails at once") {
  nats_settings nats;
  nats.urls = {"nats://127.0.0.1:1"};
  const auto connection =
      nats_connection::connect({.nats = nats, .connection_name = "test", .on_state = {}, .on_closed = {}});
  REQUIRE(connection);
  core_messages ours(**connection);
  CHECK_FALSE((*connection)->is_up());
  CHECK_FALSE(ours.publish("x", "x"));
  answers got;
  ours.request("x", "x", std::chrono::hours(1), [&](std::optional<std::string> body) { got.push(std::move(body)); });
  const auto answer = got.pop(std::chrono::milliseconds(0));
  REQUIRE(answer);
  CHECK_FALSE(*answer);
  CHECK_FALSE((*connection)->request("x", {}, std::chrono::seconds(1)));
}

}  // namespace
}  // namespace ordem::cluster
