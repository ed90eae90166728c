// Engines that come and go: each time a node owns the log it gets a gateway, which is destroyed when the ownership
// ends. Two nodes over one stream take turns; what was in flight at the end may have landed or not.

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "actors/gateway.hpp"
#include "tests/actors/request_book.hpp"
#include "tests/actors/support.hpp"
#include "tests/cluster/store/node_fixture.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::cluster {
namespace {

using namespace testing;

// A node with an engine while it owns the log.
struct engine_node : store_node {
  actors::counters counters;
  collecting_queue queue;
  std::unique_ptr<actors::gateway> engine;
  std::uint32_t next_token = 0;  // goes on over engines
  std::uint32_t queue_number = 0;

  using store_node::store_node;
  ~engine_node() {
    engine.reset();
    CHECK_FALSE(queue.answered_twice());
  }

  void own(std::uint64_t epoch) {
    begin_ownership(epoch);
    actors::gateway_settings of_engine;
    of_engine.id_seed = epoch;
    of_engine.write_retry_first = milliseconds(0);
    engine = std::make_unique<actors::gateway>(of_engine, actors::gateway_ports{.log = *log,
                                                                                .view = view(),
                                                                                .orders = view(),
                                                                                .captures = view(),
                                                                                .clock = *clock,
                                                                                .newest_order = view().newest_order(),
                                                                                .counters = &counters});
    queue_number = engine->add_queue(queue);
  }
  // The node is fenced while requests are in flight.
  void lose(std::size_t landed) {
    appender->fence(landed);
    engine->seal();
    REQUIRE(engine->drain(patience));
    CHECK(engine->in_flight() == 0);
    engine.reset();
    CHECK(counters.live_orders == 0);
    end_ownership();
  }
  std::vector<std::uint32_t> submit(std::vector<message> messages) {
    std::vector<std::uint32_t> tokens;
    std::vector<submission> batch;
    for (message& each : messages) {
      tokens.push_back(next_token++);
      batch.push_back({{queue_number, tokens.back()}, std::move(each)});
    }
    engine->submit(std::move(batch));
    return tokens;
  }
  answer ask(message what) { return queue.wait_for(submit({std::move(what)}).front()); }
};

struct ownership_test {
  stream_model stream;
  engine_node first{stream};
  engine_node second{stream};

  ownership_test() {
    stream.add_control(storage::log_record_kind::genesis);
    first.own(1);
  }
};

TEST_CASE_METHOD(ownership_test, "an engine on a log that has moved on continues it, and replays what others decided") {
  const auto created = executed_in(first.ask(creation(guid_of(1))));
  const order_id id = created.outcome.order;
  CHECK(has_verdict(first.ask(replacement(guid_of(2), id, {1})), verdict::content_changed));
  first.lose(0);

  second.own(2);
  CHECK(has_verdict(second.ask(replacement(guid_of(3), id, {2})), verdict::content_changed));
  const auto theirs = executed_in(second.ask(creation(guid_of(4))));
  CHECK(id < theirs.outcome.order);
  CHECK(executed_in(second.ask(creation(guid_of(1)))).outcome == created.outcome);
  second.lose(0);

  first.own(3);
  CHECK(executed_in(first.ask(creation(guid_of(4)))).outcome == theirs.outcome);
  CHECK(has_verdict(first.ask(replacement(guid_of(5), id, {2})), verdict::stale_version));
  const auto fourth = executed_in(first.ask(replacement(guid_of(6), id, {3})));
  CHECK(fourth.outcome.version == version{4});
  const auto mine = executed_in(first.ask(creation(guid_of(7))));
  CHECK(theirs.outcome.order < mine.outcome.order);
  for (std::uint64_t which = 1; which <= 4; ++which) {
    CHECK(first.view().find_version(id, {which}).value()->version == version{which});
  }
}

TEST_CASE_METHOD(ownership_test, "what is decided when the ownership ends is answered read_only, and may be repeated") {
  const order_id id = executed_in(first.ask(creation(guid_of(1)))).outcome.order;
  first.appender->fail_syncs();
  // One group: the first failure closes the gateway, so a second one might not be appended.
  CHECK(is_refused(first.ask(replacement(guid_of(2), id, {1})), unavailability::read_only));
  CHECK(is_refused(first.ask(creation(guid_of(3))), unavailability::read_only));
  const bool has_landed = GENERATE(true, false);
  first.lose(has_landed ? 100 : 0);
  CHECK(first.view().visible() == position{1});
  second.own(2);
  CHECK(second.view().visible() == position{has_landed ? 2U : 1U});
  // Executed then or now, once.
  CHECK(executed_in(second.ask(replacement(guid_of(2), id, {1}))).outcome.version == version{2});
  CHECK(second.counters.replays == (has_landed ? 1U : 0U));
  CHECK(second.view().visible() == position{2});
}

TEST_CASE_METHOD(ownership_test, "the counts of one engine go on with the next") {
  (void)first.ask(creation(guid_of(1)));
  first.lose(0);
  CHECK(first.counters.outcomes[static_cast<std::size_t>(verdict::order_created)] == 1);
  first.own(2);
  (void)first.ask(creation(guid_of(2)));
  CHECK(first.counters.outcomes[static_cast<std::size_t>(verdict::order_created)] == 2);
  CHECK(&first.engine->counters() == &first.counters);
}

TEST_CASE("engines that take turns execute each message once, without a gap in any version") {
  constexpr int rounds = 25;
  constexpr std::uint64_t guids_in_use = 40;
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  stream_model stream;
  stream.add_control(storage::log_record_kind::genesis);
  engine_node nodes[2]{engine_node(stream), engine_node(stream)};
  request_book book(seed);
  std::map<std::string, std::pair<message, outcome>> acknowledged;
  std::uint64_t next_guid = 1;
  std::size_t now = 0;
  std::size_t unacknowledged = 0;  // groups that were in flight at the end of an ownership
  for (std::uint64_t epoch = 1; epoch <= rounds; ++epoch) {
    INFO("epoch " << epoch);
    engine_node& node = nodes[now];
    node.own(epoch);
    // Whatever was acknowledged by any engine is replayed by this one.
    for (const auto& [name, known] : acknowledged) {
      if (random() % 8 != 0) continue;
      const auto again = node.ask(known.first);
      REQUIRE(is_executed(again));
      REQUIRE(executed_in(again).outcome == known.second);
    }
    std::vector<std::pair<std::uint32_t, message>> sent;
    const auto batches = 1 + random() % 30;
    const auto fenced_after = random() % batches;
    for (std::uint64_t i = 0; i < batches; ++i) {
      std::vector<message> some;
      for (auto count = 1 + random() % 6; count > 0; --count)
        some.push_back(book.some_message(next_guid, guids_in_use));
      const auto tokens = node.submit(some);
      for (std::size_t j = 0; j < some.size(); ++j) sent.emplace_back(tokens[j], std::move(some[j]));
      next_guid += random() % 3;
      if (i == fenced_after) unacknowledged += node.appender->fence(random() % 4);
      if (random() % 2 == 0) (void)node.queue.wait_for(tokens.back());
    }
    node.lose(0);
    for (auto& [token, what] : sent) {
      const auto answer = node.queue.wait_for(token);
      if (!is_executed(answer)) continue;
      const auto& done = executed_in(answer);
      if (done.order != nullptr) book.learn(done.order);
      const std::string name(what.guid.view());
      acknowledged.insert_or_assign(name, std::pair{std::move(what), done.outcome});
    }
    if (random() % 2 == 0) now = 1 - now;
    if (random() % 4 == 0) nodes[now].restart();
    nodes[now].tail();
  }
  REQUIRE(acknowledged.size() > 20);
  INFO("groups in flight at the ends: " << unacknowledged);

  for (engine_node& node : nodes) {
    node.tail();
    std::map<order_id, version> newest;
    for (position next{1}; next <= node.view().visible();) {
      const auto entries = node.store->store().log().read(next, 1000);
      REQUIRE(entries);
      for (const storage::logged_entry& each : *entries) {
        const auto* executed = each.message();
        REQUIRE(executed != nullptr);
        if (executed->after == nullptr) continue;
        version& last = newest[executed->after->id];
        REQUIRE(executed->after->version == last.next());
        last = executed->after->version;
      }
      next.number += entries->size();
    }
    std::size_t orders = 0;
    REQUIRE(node.view().scan_orders([&](const shared_order& each) {
      REQUIRE(each->version == newest.at(each->id));
      ++orders;
      return true;
    }));
    CHECK(orders == newest.size());
    for (const auto& [name, known] : acknowledged) {
      const auto found = node.view().find_message({}, known.first.guid, node.clock->read());
      REQUIRE(found);
      REQUIRE(found->has_value());
      CHECK((*found)->outcome == known.second);
    }
  }
}

}  // namespace
}  // namespace ordem::cluster
