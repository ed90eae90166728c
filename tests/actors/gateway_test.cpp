#include "actors/gateway.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <latch>
#include <span>
#include <thread>

#include "tests/actors/gateway_fixture.hpp"

namespace ordem::actors {
namespace {

using namespace testing;
using namespace std::chrono_literals;

// --- exactly once ---

TEST_CASE_METHOD(gateway_test, "an order is created, changed and given another status") {
  const order_id id = create(guid_of("k-1"));
  const auto changed = ask(replacement(guid_of("k-2"), id, {1}, content_of("c-2002")));
  CHECK(has_verdict(changed, verdict::content_changed));
  CHECK(executed_in(changed).order->version == version{2});
  const auto moved = ask(status_move(guid_of("k-3"), id, {2}, order_status::confirmed));
  CHECK(has_verdict(moved, verdict::status_changed));

  const shared_order now = store.find_order(id).value();
  CHECK(now->version == version{3});
  CHECK(now->status == order_status::confirmed);
  CHECK(now->content.customer_id == "c-2002");
}

TEST_CASE_METHOD(gateway_test, "orders created one after the other have ascending ids across shards") {
  start({.shards = 4});
  order_id last = create(guid_of("k-0"));
  for (std::uint64_t i = 1; i < 200; ++i) {
    const order_id id = create(guid_of(i));
    REQUIRE(last < id);
    last = id;
  }
}

TEST_CASE_METHOD(gateway_test, "after a restart with the clock behind, new ids are above the existing ones") {
  const order_id newest = create(guid_of("k-0"));
  clock.advance(-std::chrono::hours(48));
  store.set_newest_order(newest);
  start({.shards = 4});
  for (std::uint64_t i = 1; i < 20; ++i) CHECK(newest < create(guid_of(i)));
}

TEST_CASE_METHOD(gateway_test,
                 "a thousand concurrent messages with one GUID are executed once, and all get the answer") {
  constexpr unsigned threads = 8;
  constexpr unsigned each = 125;
  std::latch start_line(threads);
  std::vector<std::thread> all;
  for (unsigned i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      start_line.arrive_and_wait();
      for (unsigned j = 0; j < each; ++j) submit(creation(guid_of("k-1")));
    });
  }
  for (auto& thread : all) thread.join();

  const auto answers = queue.wait_for_all(threads * each);
  const order_id id = executed_in(answers.at(0)).outcome.order;
  int fresh = 0;
  for (const auto& [token, result] : answers) {
    REQUIRE(is_executed(result));
    REQUIRE(executed_in(result).outcome.order == id);
    REQUIRE(executed_in(result).outcome.version == version{1});
    if (!executed_in(result).replayed) ++fresh;
  }
  CHECK(fresh == 1);
  CHECK(store.last() == position{1});
}

TEST_CASE_METHOD(gateway_test, "a thousand concurrent updates with one GUID make one version") {
  const order_id id = create(guid_of("k-1"));
  const auto tokens = submit_all(std::vector<message>(1000, replacement(guid_of("k-2"), id, {1})));
  for (const auto& result : answers_to(tokens)) {
    REQUIRE(has_verdict(result, verdict::content_changed));
    REQUIRE(executed_in(result).order->version == version{2});
  }
  CHECK(store.find_order(id).value()->version == version{2});
  CHECK(store.last() == position{2});
}

TEST_CASE_METHOD(gateway_test, "with policy conflict a repeat in flight is refused, and the first is answered") {
  start({.in_flight = in_flight_policy::conflict});
  store.appends.close();
  const auto first = submit(creation(guid_of("k-1")));
  store.appends.wait_until_blocked();
  CHECK(is_refused<request_in_flight>(ask(creation(guid_of("k-1")))));
  store.appends.open();
  CHECK(has_verdict(queue.wait_for(first), verdict::order_created));
}

TEST_CASE_METHOD(gateway_test, "a repeat sent after the answer is a replay, never a conflict") {
  start({.in_flight = in_flight_policy::conflict});
  for (std::uint64_t i = 0; i < 500; ++i) {
    REQUIRE(has_verdict(ask(creation(guid_of(i))), verdict::order_created));
    const auto repeated = ask(creation(guid_of(i)));
    REQUIRE(has_verdict(repeated, verdict::order_created));
    REQUIRE(executed_in(repeated).replayed);
  }
}

TEST_CASE_METHOD(gateway_test, "a GUID can be used for another request once its refusal has been answered") {
  for (std::uint64_t i = 0; i < 500; ++i) {
    REQUIRE(is_refused<order_not_found>(ask(replacement(guid_of(i), order_id_of(i), {1}, content_of(), 1))));
    REQUIRE(has_verdict(ask(creation(guid_of(i), content_of(), 2)), verdict::order_created));
  }
}

TEST_CASE_METHOD(gateway_test, "a repeat gets the first answer even if the order has changed since") {
  const order_id id = create(guid_of("k-1"));
  ask(replacement(guid_of("k-2"), id, {1}, content_of("c-2002")));
  ask(replacement(guid_of("k-3"), id, {2}, content_of("c-3003")));

  const auto repeated = ask(replacement(guid_of("k-2"), id, {1}, content_of("c-2002")));
  REQUIRE(has_verdict(repeated, verdict::content_changed));
  CHECK(executed_in(repeated).replayed);
  CHECK(executed_in(repeated).order->version == version{2});
  CHECK(executed_in(repeated).order->content.customer_id == "c-2002");
  CHECK(store.last() == position{3});
}

TEST_CASE_METHOD(gateway_test, "a repeat of a rejection is rejected, even if it would be accepted by now") {
  const order_id id = create(guid_of("k-1"));
  const auto early = status_move(guid_of("k-2"), id, {1}, order_status::shipped);
  REQUIRE(has_verdict(ask(early), verdict::status_not_allowed));
  ask(status_move(guid_of("k-3"), id, {1}, order_status::confirmed));
  const auto repeated = ask(early);
  CHECK(has_verdict(repeated, verdict::status_not_allowed));
  CHECK(executed_in(repeated).replayed);
}

TEST_CASE_METHOD(gateway_test, "another request with a used GUID is refused, in flight and after") {
  store.syncs.close();
  const auto first = submit(creation(guid_of("k-1")));
  store.syncs.wait_until_blocked();
  CHECK(is_refused<guid_reused>(ask(creation(guid_of("k-1"), content_of("c-2002"), 2))));
  store.syncs.open();
  queue.wait_for(first);
  CHECK(is_refused<guid_reused>(ask(creation(guid_of("k-1"), content_of("c-2002"), 2))));
}

TEST_CASE_METHOD(gateway_test, "a refused message is not recorded") {
  const order_id id = create(guid_of("k-1"));
  order_content without_items = content_of();
  without_items.items.clear();
  const auto request = replacement(guid_of("k-2"), id, {1}, without_items);
  CHECK(is_refused<invalid_content>(ask(request)));
  CHECK(is_refused<invalid_content>(ask(request)));
  CHECK(store.last() == position{1});
  CHECK_FALSE(store.find_message({}, guid_of("k-2"), clock.now()).value().has_value());
}

TEST_CASE_METHOD(gateway_test, "a message with an expired GUID is executed again") {
  start({.message_ttl = 1000ms});
  const order_id first = create(guid_of("k-1"));
  clock.advance(999ms);
  CHECK(create(guid_of("k-1")) == first);
  clock.advance(1ms);
  CHECK(create(guid_of("k-1")) != first);
  CHECK(store.last() == position{2});
}

TEST_CASE_METHOD(gateway_test, "a message whose GUID can't be looked up is not executed") {
  store.break_reads(true);
  CHECK(is_refused(ask(creation(guid_of("k-1"))), unavailability::storage_failed));
  store.break_reads(false);
  CHECK(has_verdict(ask(creation(guid_of("k-1"))), verdict::order_created));
}

// --- serial per order ---

TEST_CASE_METHOD(gateway_test, "of two updates to one version one is accepted and one is stale") {
  for (std::uint64_t round = 0; round < 50; ++round) {
    const order_id id = create(guid_of(10 * round));
    const auto tokens =
        submit_all({replacement(guid_of(10 * round + 1), id, {1}), replacement(guid_of(10 * round + 2), id, {1})});
    const auto answers = answers_to(tokens);
    REQUIRE(count_if(answers, has(verdict::content_changed)) == 1);
    REQUIRE(count_if(answers, has(verdict::stale_version)) == 1);
    REQUIRE(store.find_order(id).value()->version == version{2});
  }
}

TEST_CASE_METHOD(gateway_test, "updates that build on each other are decided without waiting for the disk") {
  start_in_order();
  const order_id id = create(guid_of("k-1"));
  store.syncs.close();
  std::vector<message> chain;
  for (std::uint64_t i = 1; i <= 100; ++i) chain.push_back(replacement(guid_of(i), id, {i}));
  const auto tokens = submit_all(std::move(chain));
  store.syncs.wait_until_blocked();
  store.syncs.open();
  CHECK(count_if(answers_to(tokens), has(verdict::content_changed)) == 100);
  CHECK(store.find_order(id).value()->version == version{101});
}

TEST_CASE_METHOD(gateway_test, "evicted orders are read again with their state") {
  start({.shards = 2, .live_orders_max = 2});
  constexpr std::uint64_t orders = 40;
  std::vector<order_id> ids;
  for (std::uint64_t i = 0; i < orders; ++i) ids.push_back(create(guid_of(i)));

  for (std::uint64_t expected_version = 1; expected_version <= 5; ++expected_version) {
    std::vector<message> round;
    for (std::uint64_t i = 0; i < orders; ++i) {
      round.push_back(replacement(guid_of(1000 * expected_version + i), ids[i], {expected_version},
                                  content_of("c-" + std::to_string(i))));
    }
    REQUIRE(count_if(answers_to(submit_all(std::move(round))), has(verdict::content_changed)) == orders);
  }
  for (std::uint64_t i = 0; i < orders; ++i) {
    const shared_order now = store.find_order(ids[i]).value();
    CHECK(now->version == version{6});
    CHECK(now->content.customer_id == "c-" + std::to_string(i));
  }

  // The last `unpin` arrives after the replies.
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (engine->counters().live_orders > 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  CHECK(engine->counters().live_orders <= 2);
}

TEST_CASE_METHOD(gateway_test, "an order with work that is not durable is not evicted") {
  start_in_order({.live_orders_max = 1});
  std::vector<order_id> ids;
  for (std::uint64_t i = 0; i < 10; ++i) ids.push_back(create(guid_of(i)));
  store.syncs.close();
  std::vector<message> work;
  for (std::uint64_t expected_version = 1; expected_version <= 3; ++expected_version) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      work.push_back(replacement(guid_of(100 * expected_version + i), ids[i], {expected_version}));
    }
  }
  const auto tokens = submit_all(std::move(work));
  store.syncs.wait_until_blocked();
  store.syncs.open();
  CHECK(count_if(answers_to(tokens), has(verdict::content_changed)) == 30);
}

// --- durable before visible ---

TEST_CASE_METHOD(gateway_test, "nothing is answered or visible before it is durable") {
  start_in_order();
  const order_id id = create(guid_of("k-0"));
  const std::size_t before = queue.answered();
  latch& step = GENERATE(true, false) ? store.appends : store.syncs;
  step.close();
  const auto tokens = submit_all({creation(guid_of("k-1")), replacement(guid_of("k-2"), id, {1}),
                                  replacement(guid_of("k-3"), id, {1}), creation(guid_of("k-1"))});
  step.wait_until_blocked();
  // A replay does not pass through the log: once it is answered, the shard has admitted all messages before it.
  REQUIRE(executed_in(ask(creation(guid_of("k-0")))).replayed);
  CHECK(queue.answered() == before + 1);
  CHECK(store.last() == position{1});
  CHECK(store.find_order(id).value()->version == version{1});

  step.open();
  const auto answers = answers_to(tokens);
  CHECK(has_verdict(answers[0], verdict::order_created));
  CHECK(has_verdict(answers[1], verdict::content_changed));
  CHECK(has_verdict(answers[2], verdict::stale_version));
  CHECK(has_verdict(answers[3], verdict::order_created));
}

TEST_CASE_METHOD(gateway_test, "an answered message is durable and visible") {
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto done = ask(creation(guid_of(i)));
    REQUIRE(store.last() >= position{i + 1});
    REQUIRE(store.find_order(executed_in(done).outcome.order).value() != nullptr);
  }
}

// --- groups ---

TEST_CASE_METHOD(gateway_test, "messages that arrive during an append are appended as one group") {
  start_in_order();
  create(guid_of("k-0"));
  store.appends.close();
  const auto first = submit(creation(guid_of("k-1")));
  store.appends.wait_until_blocked();
  std::vector<std::uint32_t> tokens;
  for (std::uint64_t i = 0; i < 500; ++i) tokens.push_back(submit(creation(guid_of(i))));
  // Answered by the shard, after all of the above.
  REQUIRE(executed_in(ask(creation(guid_of("k-0")))).replayed);
  store.appends.open();
  queue.wait_for(first);
  CHECK(count_if(answers_to(tokens), has(verdict::order_created)) == 500);
  CHECK(store.append_calls() <= 4);
}

TEST_CASE_METHOD(gateway_test, "groups that are appended during a sync share the next sync") {
  start_in_order();
  create(guid_of("k-0"));
  const std::size_t syncs_before = store.sync_calls();
  store.syncs.close();
  const auto first = submit(creation(guid_of("k-1")));
  store.syncs.wait_until_blocked();
  std::vector<std::uint32_t> tokens;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const std::size_t appends_before = store.append_calls();
    tokens.push_back(submit(creation(guid_of(i))));
    // Appends continue during the sync.
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (store.append_calls() == appends_before && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    REQUIRE(store.append_calls() > appends_before);
  }
  CHECK(queue.answered() == 1);
  store.syncs.open();
  queue.wait_for(first);
  answers_to(tokens);
  CHECK(store.sync_calls() - syncs_before <= 4);
}

TEST_CASE_METHOD(gateway_test, "a group is never larger than the log allows") {
  start_in_order();
  store.appends.close();
  const auto first = submit(creation(guid_of("k-1")));
  store.appends.wait_until_blocked();
  const auto tokens = submit_all(creations(0, storage::group_entries_max + 500));
  store.appends.open();
  queue.wait_for(first);
  CHECK(count_if(answers_to(tokens), has(verdict::order_created)) == storage::group_entries_max + 500);
}

// --- fail stop ---

struct broken_log_test : gateway_test {
  // Returns the answers to a message that is in that step of the log when it fails, and to some messages behind it.
  template <class Break>
  std::vector<answer> answers_when_broken(latch& step, Break break_it) {
    step.close();
    auto tokens = submit_all({creation(guid_of("k-1"))});
    step.wait_until_blocked();
    for (const auto each : submit_all(creations(0, 50))) tokens.push_back(each);
    tokens.push_back(submit(creation(guid_of("k-1"))));
    break_it();
    step.open();
    return answers_to(tokens);
  }
};

TEST_CASE_METHOD(broken_log_test, "when an append fails all messages get read_only, and nothing becomes visible") {
  const auto answers = answers_when_broken(store.appends, [this] { store.break_appends(); });
  CHECK(count_if(answers, is(unavailability::read_only)) == 52);
  CHECK(store.last() == position{});
  CHECK(log_failures == 1);
}

TEST_CASE_METHOD(broken_log_test, "when a sync fails all messages get read_only, and nothing becomes visible") {
  const auto answers = answers_when_broken(store.syncs, [this] { store.break_syncs(); });
  CHECK(count_if(answers, is(unavailability::read_only)) == 52);
  CHECK(store.last() == position{});
  CHECK(log_failures == 1);
}

TEST_CASE_METHOD(broken_log_test, "after a failed write every message gets read_only, and nothing is written") {
  const bool append_fails = GENERATE(true, false);
  append_fails ? store.break_appends() : store.break_syncs();
  REQUIRE(is_refused(ask(creation(guid_of("k-1"))), unavailability::read_only));
  const std::size_t appends_before = store.append_calls();
  for (std::uint64_t i = 0; i < 10; ++i) CHECK(is_refused(ask(creation(guid_of(i))), unavailability::read_only));
  CHECK(is_refused(ask(creation(guid_of("k-1"))), unavailability::read_only));
  CHECK(store.append_calls() == appends_before);
  CHECK(log_failures == 1);
  CHECK(engine->drain(patience));
}

TEST_CASE_METHOD(broken_log_test, "a read-only gateway answers read_only while it drains") {
  store.break_appends();
  ask(creation(guid_of("k-1")));
  CHECK(engine->drain(patience));
  CHECK(is_refused(ask(creation(guid_of("k-2"))), unavailability::read_only));
}

TEST_CASE_METHOD(broken_log_test, "entries that were durable before a failed write stay visible") {
  start_in_order();
  const order_id id = create(guid_of("k-0"));
  store.appends.close();
  const auto update = submit(replacement(guid_of("k-1"), id, {1}));
  store.appends.wait_until_blocked();
  store.break_appends();
  store.appends.open();
  CHECK(is_refused(queue.wait_for(update), unavailability::read_only));
  CHECK(store.find_order(id).value()->version == version{1});
  CHECK(store.find_message({}, guid_of("k-0"), clock.now()).value().has_value());
}

// --- recovery ---

struct recovery_test : broken_log_test {
  std::latch recovered{1};
  std::atomic<int> retries{0};

  recovery_test() { recovers = true; }
  void start_with_recovery() {
    gateway_events events;
    events.on_write_retry = [this](std::string_view) { ++retries; };
    events.on_write_recovery = [this] { recovered.count_down(); };
    start({.shards = 1}, std::move(events));
  }
};

TEST_CASE_METHOD(recovery_test, "after a failed write the engine takes messages again once the log does") {
  start_with_recovery();
  const int failing = GENERATE(0, 3);
  store.break_recovery(failing);
  GENERATE(true, false) ? store.break_appends() : store.break_syncs();
  REQUIRE(is_refused(ask(creation(guid_of("k-1"))), unavailability::read_only));
  recovered.wait();
  CHECK(retries == failing);
  CHECK(has_verdict(ask(creation(guid_of("k-1"))), verdict::order_created));
  CHECK(store.last() == position{1});
  CHECK(engine->counters().write_failures == 1);
  CHECK(engine->counters().write_recoveries == 1);
}

TEST_CASE_METHOD(recovery_test, "an order is as it was before the write that failed") {
  start_with_recovery();
  const order_id id = create(guid_of("k-0"));
  store.break_syncs();
  REQUIRE(is_refused(ask(replacement(guid_of("k-1"), id, {1})), unavailability::read_only));
  recovered.wait();
  const auto again = ask(replacement(guid_of("k-1"), id, {1}));
  REQUIRE(has_verdict(again, verdict::content_changed));
  CHECK(executed_in(again).outcome.version == version{2});
  CHECK(executed_in(again).replayed == false);
}

TEST_CASE_METHOD(recovery_test, "writes are tried again only once every message in flight is answered") {
  start_with_recovery();
  store.syncs.close();
  const auto first = submit(creation(guid_of("k-1")));
  store.syncs.wait_until_blocked();
  store.break_appends();
  const auto second = submit(creation(guid_of("k-2")));  // its append fails while the first one waits for the disk
  REQUIRE(wait_until([this] { return log_failures == 1; }));
  store.syncs.open();
  recovered.wait();
  CHECK(is_refused(queue.wait_for(first), unavailability::read_only));  // it was not durable, and is dropped
  CHECK(is_refused(queue.wait_for(second), unavailability::read_only));
  CHECK(has_verdict(ask(creation(guid_of("k-1"))), verdict::order_created));
  CHECK(has_verdict(ask(creation(guid_of("k-2"))), verdict::order_created));
  CHECK(store.last() == position{2});
}

TEST_CASE_METHOD(recovery_test, "a recovery ends with the engine") {
  start_with_recovery();
  store.break_recovery(1'000'000'000);
  store.break_appends();
  REQUIRE(is_refused(ask(creation(guid_of("k-1"))), unavailability::read_only));
  REQUIRE(wait_until([this] { return retries > 0; }));
  engine.reset();
  SUCCEED();
}

// Opens a latch when it is interrupted, as the gateway does while it stops.
class opening_sink final : public storage::sink {
 public:
  explicit opening_sink(latch& opened) : opened_(opened) {}

  storage::result<position> claim(const storage::claim_check&) override { return failure(); }
  storage::result<void> write(std::span<const storage::logged_entry>) override { return failure(); }
  void interrupt() noexcept override { opened_.open(); }

 private:
  static tl::unexpected<storage::error> failure() {
    return storage::fail_with(storage::error_code::unavailable, "not connected");
  }

  latch& opened_;
};

TEST_CASE_METHOD(recovery_test, "a write that fails while the engine stops is answered, and does no harm") {
  opening_sink sink(store.syncs);
  start({.shards = 1}, {}, &sink);
  store.syncs.close();
  const auto token = submit(creation(guid_of("k-1")));
  store.syncs.wait_until_blocked();
  store.break_syncs();
  engine.reset();
  CHECK(is_refused(queue.wait_for(token), unavailability::read_only));
  CHECK(log_failures == 1);
}

// --- overload, drain, end ---

TEST_CASE_METHOD(gateway_test, "a message over the bound is answered overloaded at once, and places are freed later") {
  start({.in_flight_max = 4});
  store.appends.close();
  const auto taken = submit_all(creations(0, 4));
  CHECK(is_refused(ask(creation(guid_of(4))), unavailability::overloaded));
  CHECK(engine->in_flight() == 4);
  store.appends.open();
  CHECK(count_if(answers_to(taken), has(verdict::order_created)) == 4);
  REQUIRE(engine->drain(patience));
  CHECK(engine->in_flight() == 0);
}

TEST_CASE_METHOD(gateway_test, "a batch that does not fit is rejected as a whole") {
  start({.in_flight_max = 4});
  const auto answers = answers_to(submit_all(creations(0, 5)));
  CHECK(count_if(answers, is(unavailability::overloaded)) == 5);
  CHECK(store.append_calls() == 0);
  CHECK(count_if(answers_to(submit_all(creations(0, 4))), has(verdict::order_created)) == 4);
}

TEST_CASE_METHOD(gateway_test, "messages that join another one take places too") {
  start({.in_flight_max = 3});
  store.appends.close();
  const auto tokens = submit_all(std::vector<message>(3, creation(guid_of("k-1"))));
  CHECK(is_refused(ask(creation(guid_of("k-1"))), unavailability::overloaded));
  store.appends.open();
  CHECK(count_if(answers_to(tokens), has(verdict::order_created)) == 3);
}

TEST_CASE_METHOD(gateway_test, "a drain waits until all messages are answered") {
  store.appends.close();
  const auto tokens = submit_all(creations(0, 100));
  store.appends.wait_until_blocked();
  CHECK_FALSE(engine->drain(0ms));
  auto draining = std::async(std::launch::async, [this] { return engine->drain(patience); });
  CHECK(is_refused(ask(creation(guid_of("k-1"))), unavailability::draining));
  store.appends.open();
  CHECK(draining.get());
  CHECK(queue.answered() == 101);
  CHECK(count_if(answers_to(tokens), has(verdict::order_created)) == 100);
}

TEST_CASE_METHOD(gateway_test, "a draining gateway answers draining, to a repeat too") {
  create(guid_of("k-1"));
  REQUIRE(engine->drain(patience));
  CHECK(is_refused(ask(creation(guid_of("k-1"))), unavailability::draining));
  CHECK(is_refused(ask(creation(guid_of("k-2"))), unavailability::draining));
}

TEST_CASE_METHOD(gateway_test, "every message that arrives while a drain begins is answered once") {
  constexpr unsigned threads = 4;
  constexpr unsigned each = 500;
  std::latch start_line(threads + 1);
  std::vector<std::thread> all;
  for (unsigned i = 0; i < threads; ++i) {
    all.emplace_back([&, i] {
      start_line.arrive_and_wait();
      for (unsigned j = 0; j < each; ++j) submit(creation(guid_of(i * each + j)));
    });
  }
  start_line.arrive_and_wait();
  queue.wait_for_all(1);
  CHECK(engine->drain(patience));
  const position last = store.last();
  for (auto& thread : all) thread.join();

  std::uint64_t done = 0;
  for (const auto& [token, result] : queue.wait_for_all(threads * each)) {
    if (is_executed(result)) {
      ++done;
    } else {
      REQUIRE(is_refused(result, unavailability::draining));
    }
  }
  CHECK(store.last() == position{done});
  CHECK(last == position{done});
}

TEST_CASE_METHOD(gateway_test, "each completion queue gets its own replies") {
  collecting_queue other;
  const auto number = engine->add_queue(other);
  engine->submit({{{queue_number, 1}, creation(guid_of("k-1"))}, {{number, 1}, creation(guid_of("k-2"))}});
  CHECK(executed_in(queue.wait_for(1)).outcome.order != executed_in(other.wait_for(1)).outcome.order);
  REQUIRE(engine->drain(patience));
  CHECK(queue.answered() == 1);
  CHECK(other.answered() == 1);
  engine.reset();
}

TEST_CASE_METHOD(gateway_test, "a gateway can be destroyed unused") {
  engine.reset();
}

TEST_CASE_METHOD(gateway_test, "a gateway can be destroyed with messages in flight") {
  submit_all(creations(0, 1000));
  engine.reset();
}

// --- counters ---

TEST_CASE_METHOD(gateway_test, "outcomes, refusals, replays and joins are counted") {
  const order_id id = create(guid_of("k-1"));
  create(guid_of("k-1"));
  ask(replacement(guid_of("k-2"), id, {1}));
  ask(replacement(guid_of("k-3"), id, {1}));
  ask(replacement(guid_of("k-4"), order_id_of(1), {1}));
  const auto& counts = engine->counters();
  CHECK(counts.outcomes[static_cast<std::size_t>(verdict::order_created)] == 1);
  CHECK(counts.outcomes[static_cast<std::size_t>(verdict::content_changed)] == 1);
  CHECK(counts.outcomes[static_cast<std::size_t>(verdict::stale_version)] == 1);
  CHECK(counts.refusals == 1);
  CHECK(counts.replays == 1);
  CHECK(counts.joins == 0);
}

TEST_CASE_METHOD(gateway_test, "only an answer from a recorded outcome is counted as a replay") {
  create(guid_of("k-1"));
  ask(creation(guid_of("k-1"), content_of(), 2));  // reused
  store.break_reads(true);
  ask(creation(guid_of("k-1")));
  store.break_reads(false);
  CHECK(engine->counters().replays == 0);
  create(guid_of("k-1"));
  CHECK(engine->counters().replays == 1);
}

}  // namespace
}  // namespace ordem::actors
