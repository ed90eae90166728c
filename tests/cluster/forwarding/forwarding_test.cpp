// Forwarding between two nodes: single steps here, random faults in forwarding_random_test.cpp.
#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/forwarding/forward_message.hpp"
#include "cluster/forwarding/forward_server.hpp"
#include "cluster/forwarding/forwarding_port.hpp"
#include "tests/cluster/forwarding/support.hpp"

namespace ordem::cluster {
namespace {

using namespace testing;

constexpr milliseconds begin{1'000};

// A node: its port, its server, and the queue of one I/O thread.
struct forwarding_node {
  explicit forwarding_node(std::uint64_t sender, forwarding_settings settings = {},
                           forward_server_settings of_server = {})
      : port(settings, transport, sender, begin) {
    port.add_queue(queue);
    server.emplace(of_server, port, [this] { return visible; }, [] { return std::uint64_t{4}; }, begin);
  }
  void own() {
    gateway.emplace();
    port.attach(*gateway, [this](completion_queue& each) { return gateway->add_queue(each); });
  }
  void submit(std::uint32_t number, engine_request what) {
    std::vector<submission> batch;
    batch.push_back({{0, number}, std::move(what)});
    port.submit(std::move(batch));
  }
  void tick(milliseconds after_begin) { port.on_tick(begin + after_begin); }

  manual_transport transport;
  position visible;
  counting_queue queue;
  forwarding_port port;
  std::optional<forward_server> server;
  std::optional<manual_gateway> gateway;
};

struct forwarding_nodes {
  explicit forwarding_nodes(forwarding_settings settings = {}, forward_server_settings of_server = {})
      : standby(1, settings), owner(2, {}, of_server) {
    owner.own();
  }
  // Passes the request of that number to the owner. Returns the answers, once there are any.
  std::shared_ptr<std::vector<std::string>> pass(std::size_t which) {
    auto answers = std::make_shared<std::vector<std::string>>();
    owner.server->handle(standby.transport.sent.at(which).body,
                         [answers](std::string answer) { answers->push_back(std::move(answer)); });
    return answers;
  }
  void answer(std::size_t which, const std::string& body) { standby.transport.sent.at(which).done(body); }
  void lose(std::size_t which) { standby.transport.sent.at(which).done(std::nullopt); }

  forwarding_node standby;
  forwarding_node owner;
};

TEST_CASE("a submission of a standby is executed by the owner, and its reply waits for the view") {
  forwarding_nodes tested;
  message asked = creation(guid_of("g"));
  asked.origin = {"shop", "till"};
  tested.standby.submit(5, asked);
  REQUIRE(tested.standby.transport.sent.size() == 1);
  CHECK(tested.standby.transport.sent[0].subject == "submit");
  const auto answers = tested.pass(0);
  REQUIRE(tested.owner.gateway->submitted.size() == 1);
  const auto& arrived = std::get<message>(tested.owner.gateway->submitted[0].request);
  CHECK(arrived.guid == asked.guid);
  CHECK(arrived.origin == asked.origin);
  tested.owner.visible = {12};
  tested.owner.gateway->reply_to(0, created_answer(3));
  REQUIRE(answers->size() == 1);
  tested.answer(0, answers->front());
  CHECK(tested.standby.transport.noted == std::vector{position{12}});
  CHECK_FALSE(tested.standby.queue.has(5));
  tested.standby.port.on_applied({11});
  CHECK_FALSE(tested.standby.queue.has(5));
  tested.standby.port.on_applied({12});
  CHECK(std::get<executed>(tested.standby.queue.of(5)).outcome.order == order_id_of(3));
  CHECK(tested.standby.port.stats().waiting == 0);
  CHECK(tested.standby.port.stats().held_too_long == 0);
}

TEST_CASE("a reply is held for 1 s at most") {
  forwarding_nodes tested;
  tested.standby.submit(5, creation(guid_of("g")));
  const auto answers = tested.pass(0);
  tested.owner.visible = {12};
  tested.owner.gateway->reply_to(0, created_answer(3));
  tested.answer(0, answers->front());
  tested.standby.tick(milliseconds(999));
  CHECK_FALSE(tested.standby.queue.has(5));
  tested.standby.tick(milliseconds(1'000));
  CHECK(std::holds_alternative<executed>(tested.standby.queue.of(5)));
  CHECK(tested.standby.port.stats().held_too_long == 1);
  tested.standby.port.on_applied({12});
  tested.standby.queue.of(5);  // not twice
}

TEST_CASE("submissions of one call are one request") {
  forwarding_nodes tested;
  std::vector<submission> batch;
  for (std::uint32_t i = 0; i < 3; ++i) batch.push_back({{0, i}, creation(guid_of(std::uint64_t{i}))});
  tested.standby.port.submit(std::move(batch));
  CHECK(tested.standby.transport.sent.size() == 1);
  const auto answers = tested.pass(0);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(answers->empty());
    tested.owner.gateway->reply_to(2 - i, created_answer(2 - i));
  }
  REQUIRE(answers->size() == 1);
  tested.answer(0, answers->front());
  for (std::uint32_t i = 0; i < 3; ++i)
    CHECK(std::get<executed>(tested.standby.queue.of(i)).outcome.order == order_id_of(i));
}

TEST_CASE("an allocation whose answer was lost is asked for again, and gets the same answer") {
  forwarding_nodes tested;
  tested.standby.submit(5, capture_request{key_of("aw"), allocate_capture{}});
  const auto lost = tested.pass(0);
  const answer allocated = capture_answer{capture_verdict::allocated, key_of("aw"), nullptr};
  SECTION("after it was executed") {
    tested.owner.gateway->reply_to(0, allocated);
    tested.lose(0);
    tested.standby.tick(milliseconds(50));
  }
  SECTION("while it is being executed") {
    tested.lose(0);
    tested.standby.tick(milliseconds(50));
    const auto early = tested.pass(1);
    CHECK(decode_forward_answer(early->at(0))->status == forward_status::in_progress);
    tested.answer(1, early->front());
    tested.owner.gateway->reply_to(0, allocated);
    tested.standby.tick(milliseconds(100));
  }
  const auto again = tested.pass(tested.standby.transport.sent.size() - 1);
  CHECK(tested.owner.gateway->submitted.size() == 1);
  tested.answer(tested.standby.transport.sent.size() - 1, again->at(0));
  CHECK(std::get<capture_answer>(tested.standby.queue.of(5)).verdict == capture_verdict::allocated);
}

// Another caller may have been given the key after the first release.
TEST_CASE("a release in doubt is not sent again") {
  forwarding_nodes tested;
  tested.standby.submit(5, capture_request{key_of("aw"), release_capture{}});
  SECTION("because its answer was lost") {
    tested.lose(0);
  }
  SECTION("because the owner's gateway ended") {
    const auto answers = tested.pass(0);
    tested.owner.port.detach();
    tested.answer(0, answers->at(0));
  }
  SECTION("because this node became the owner meanwhile") {
    tested.standby.own();
  }
  CHECK(is_refused_by(tested.standby.queue.of(5), unavailability::no_owner));
  tested.standby.tick(milliseconds(100));
  CHECK(tested.standby.transport.sent.size() == 1);
}

TEST_CASE("a release that reached no owner is sent again") {
  forwarding_nodes tested;
  tested.owner.port.detach();
  tested.standby.submit(5, capture_request{key_of("aw"), release_capture{}});
  tested.answer(0, tested.pass(0)->at(0));
  tested.standby.tick(milliseconds(50));
  CHECK(tested.standby.transport.sent.size() == 2);
  CHECK_FALSE(tested.standby.queue.has(5));
}

TEST_CASE("without an owner a submission is answered after 2 s") {
  forwarding_nodes tested;
  tested.owner.port.detach();
  tested.standby.submit(5, creation(guid_of("g")));
  const auto refused = tested.pass(0);
  CHECK(decode_forward_answer(refused->at(0))->status == forward_status::not_owner);
  CHECK(decode_forward_answer(refused->at(0))->epoch == 4);
  tested.answer(0, refused->front());
  tested.standby.tick(milliseconds(1'999));
  REQUIRE(tested.standby.transport.sent.size() == 2);
  CHECK(tested.standby.transport.sent[1].timeout == milliseconds(1));
  tested.lose(1);
  CHECK_FALSE(tested.standby.queue.has(5));
  tested.standby.tick(milliseconds(2'100));
  CHECK(is_refused_by(tested.standby.queue.of(5), unavailability::no_owner));
  CHECK(tested.standby.port.stats().without_owner == 1);
}

TEST_CASE("what waits for an owner goes to the gateway of this node once it owns the log") {
  forwarding_nodes tested;
  message asked = creation(guid_of("g"));
  asked.origin = {"shop", "till"};
  tested.standby.submit(5, asked);
  tested.standby.own();
  REQUIRE(tested.standby.gateway->submitted.size() == 1);
  CHECK(std::get<message>(tested.standby.gateway->submitted[0].request).origin == asked.origin);
  tested.lose(0);  // of the owner before: too late
  CHECK_FALSE(tested.standby.queue.has(5));
  tested.standby.gateway->reply_to(0, created_answer(3));
  CHECK(std::holds_alternative<executed>(tested.standby.queue.of(5)));
}

TEST_CASE("what the gateway has not answered when the ownership ends is answered no_owner, once") {
  forwarding_node owner(1);
  owner.own();
  owner.submit(5, creation(guid_of("g")));
  owner.submit(6, creation(guid_of("h")));
  owner.gateway->reply_to(1, created_answer(3));
  owner.port.detach();
  owner.gateway->reply_to(0, created_answer(4));  // dropped
  CHECK(is_refused_by(owner.queue.of(5), unavailability::no_owner));
  CHECK(std::holds_alternative<executed>(owner.queue.of(6)));
  CHECK(owner.port.stats().lost_with_owner == 1);
  owner.submit(7, creation(guid_of("i")));
  CHECK(owner.transport.sent.size() == 1);
  owner.own();  // the same tokens as before
  CHECK(owner.gateway->submitted.size() == 1);
  owner.gateway->reply_to(0, created_answer(5));
  CHECK(std::holds_alternative<executed>(owner.queue.of(7)));
}

TEST_CASE("what the gateway does not answer in time is answered no_owner, and a late reply is dropped") {
  forwarding_settings settings;
  settings.gateway_patience = milliseconds(3'000);
  forwarding_node owner(1, settings);
  owner.own();
  owner.tick(milliseconds(1'000));
  owner.submit(5, creation(guid_of("g")));
  owner.tick(milliseconds(2'500));
  owner.submit(6, creation(guid_of("h")));
  owner.tick(milliseconds(3'999));
  CHECK_FALSE(owner.queue.has(5));
  owner.tick(milliseconds(4'000));
  CHECK(is_refused_by(owner.queue.of(5), unavailability::no_owner));
  CHECK_FALSE(owner.queue.has(6));
  CHECK(owner.port.stats().without_owner == 1);
  // Its number is used again while the gateway still has the first one.
  owner.queue.answers.clear();
  owner.submit(5, creation(guid_of("i")));
  owner.gateway->reply_to(0, created_answer(3));
  CHECK_FALSE(owner.queue.has(5));
  owner.gateway->reply_to(2, created_answer(4));
  CHECK(std::get<executed>(owner.queue.of(5)).outcome.order == order_id_of(4));
  owner.gateway->reply_to(1, created_answer(5));
  CHECK(std::get<executed>(owner.queue.of(6)).outcome.order == order_id_of(5));
  owner.tick(milliseconds(60'000));
  owner.queue.of(5);  // not twice
  CHECK(owner.port.stats().without_owner == 1);
}

TEST_CASE("before a release the gateway answers what it has, and new submissions wait for the next owner") {
  forwarding_node owner(1);
  owner.own();
  owner.submit(5, creation(guid_of("g")));
  owner.port.end_submissions();
  CHECK_FALSE(owner.port.is_attached());
  owner.submit(6, creation(guid_of("h")));
  CHECK(owner.gateway->submitted.size() == 1);
  REQUIRE(owner.transport.sent.size() == 1);
  owner.gateway->reply_to(0, created_answer(3));
  CHECK(std::holds_alternative<executed>(owner.queue.of(5)));
  owner.port.detach();
  CHECK_FALSE(owner.queue.has(6));
  CHECK(owner.port.stats().lost_with_owner == 0);
  owner.transport.sent[0].done(std::nullopt);
  owner.port.on_owner_change();
  CHECK(owner.transport.sent.size() == 2);
}

TEST_CASE("a message that the owner lost with its gateway, or refused as it stops, is sent to the next owner") {
  forwarding_nodes tested;
  tested.standby.submit(5, creation(guid_of("g")));
  const auto answers = tested.pass(0);
  SECTION("lost") {
    tested.owner.port.detach();
  }
  SECTION("stops") {
    tested.owner.gateway->reply_to(0, refusal{unavailability::draining});
  }
  tested.answer(0, answers->at(0));
  CHECK_FALSE(tested.standby.queue.has(5));
  tested.standby.port.on_owner_change();
  CHECK(tested.standby.transport.sent.size() == 2);
}

// With --in-flight=conflict the owner refuses a repeat of what it is executing.
TEST_CASE("a message that conflicts with its own earlier try is sent again") {
  forwarding_nodes tested;
  tested.standby.submit(5, creation(guid_of("g")));
  tested.lose(0);
  tested.standby.tick(milliseconds(50));
  const auto answers = tested.pass(1);
  tested.owner.gateway->reply_to(0, refusal{request_in_flight{}});
  tested.answer(1, answers->at(0));
  CHECK_FALSE(tested.standby.queue.has(5));
  tested.standby.tick(milliseconds(100));
  CHECK(tested.standby.transport.sent.size() == 3);
  tested.standby.submit(6, creation(guid_of("h")));  // a first try is answered as it is
  const auto of_other = tested.pass(3);
  tested.owner.gateway->reply_to(1, refusal{request_in_flight{}});
  tested.answer(3, of_other->at(0));
  CHECK(std::holds_alternative<refusal>(tested.standby.queue.of(6)));
}

TEST_CASE("answers that do not fit are asked for again") {
  forward_server_settings small;
  small.answer_bytes_max = 1'000;
  forwarding_nodes tested({}, small);
  std::vector<submission> batch;
  for (std::uint32_t i = 0; i < 2; ++i)
    batch.push_back({{0, i}, capture_request{key_of(std::uint64_t{i}), allocate_capture{}}});
  tested.standby.port.submit(std::move(batch));
  const auto answers = tested.pass(0);
  const auto completed = [](std::uint64_t i) {
    return capture_answer{capture_verdict::completed, key_of(i), response_of(std::string(5'000, 'x'))};
  };
  tested.owner.gateway->reply_to(0, completed(0));
  tested.owner.gateway->reply_to(1, completed(1));
  tested.answer(0, answers->at(0));
  CHECK(tested.standby.queue.has(0));
  CHECK_FALSE(tested.standby.queue.has(1));
  REQUIRE(tested.standby.transport.sent.size() == 2);
  const auto rest = tested.pass(1);
  tested.owner.gateway->reply_to(2, completed(1));
  tested.answer(1, rest->at(0));
  CHECK(std::get<capture_answer>(tested.standby.queue.of(1)).response->body.size() == 5'000);
}

TEST_CASE("submissions beyond the bounds are refused, on both sides") {
  forwarding_settings settings;
  settings.submissions_max = 1;
  forward_server_settings of_server;
  of_server.requests_max = 1;
  forwarding_nodes tested(settings, of_server);
  tested.standby.submit(5, creation(guid_of("g")));
  tested.standby.submit(6, creation(guid_of("h")));
  CHECK(is_refused_by(tested.standby.queue.of(6), unavailability::overloaded));
  const auto executed_one = tested.pass(0);
  forwarding_node other(3);
  other.submit(7, creation(guid_of("i")));
  std::string refused;
  tested.owner.server->handle(other.transport.sent.at(0).body, [&](std::string body) { refused = std::move(body); });
  other.transport.sent[0].done(refused);
  CHECK(is_refused_by(other.queue.of(7), unavailability::overloaded));
  tested.owner.gateway->reply_to(0, created_answer(1));
  tested.answer(0, executed_one->at(0));
  tested.standby.submit(8, creation(guid_of("j")));  // there is room again
  CHECK(tested.standby.transport.sent.size() == 2);
}

TEST_CASE("a request that comes once more after its sender has the answer is not executed again") {
  forwarding_nodes tested;
  tested.standby.submit(5, capture_request{key_of("aw"), release_capture{}});
  const auto answers = tested.pass(0);
  tested.owner.gateway->reply_to(0, capture_answer{capture_verdict::released, key_of("aw"), nullptr});
  tested.answer(0, answers->at(0));
  tested.standby.submit(6, creation(guid_of("g")));
  tested.pass(1);
  CHECK(tested.owner.gateway->submitted.size() == 2);
  CHECK(tested.pass(0)->empty());
  CHECK(tested.owner.gateway->submitted.size() == 2);
}

TEST_CASE("a request or an answer that is none does no harm") {
  forwarding_nodes tested;
  std::string refused;
  tested.owner.server->handle("nothing", [&](std::string body) { refused = std::move(body); });
  CHECK(decode_forward_answer(refused)->status == forward_status::malformed);
  tested.standby.submit(5, creation(guid_of("g")));
  tested.answer(0, "nothing");
  CHECK_FALSE(tested.standby.queue.has(5));
  tested.standby.tick(milliseconds(50));
  CHECK(tested.standby.transport.sent.size() == 2);
}

TEST_CASE("an answer that comes after the end of the port does no harm") {
  manual_transport transport;
  counting_queue queue;
  {
    forwarding_port port({}, transport, 1, begin);
    port.add_queue(queue);
    std::vector<submission> batch;
    batch.push_back({{0, 1}, creation(guid_of("g"))});
    port.submit(std::move(batch));
  }
  transport.sent.at(0).done(std::nullopt);
  CHECK(queue.answers.empty());
}

}  // namespace
}  // namespace ordem::cluster
