// Order actors: a slow read delays only its order, and actors are spawned and evicted under concurrent clients.

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <latch>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "actors/orders/order_loader.hpp"
#include "tests/actors/gateway_fixture.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::actors {
namespace {

using namespace testing;

TEST_CASE_METHOD(gateway_test, "a slow read of a cold order delays only that order") {
  start_in_order({.worker_threads = 1});
  const order_id slow = create(guid_of("slow"));
  const order_id quick = create(guid_of("quick"));
  store.make_cold();
  store.hold_reads_of(slow);
  store.reads.close();

  // Nor is the submitting thread blocked.
  auto first = std::async(std::launch::async, [&] { return submit(replacement(guid_of(1), slow, {1})); });
  store.reads.wait_until_blocked();
  const bool returned = first.wait_for(patience) == std::future_status::ready;
  auto second = std::async(std::launch::async, [&] { return submit(replacement(guid_of(2), slow, {2})); });
  const bool second_returned = second.wait_for(patience) == std::future_status::ready;
  if (!returned || !second_returned) store.reads.open();
  REQUIRE(returned);
  REQUIRE(second_returned);

  const std::size_t before = queue.answered();
  CHECK(has_verdict(ask(replacement(guid_of(3), quick, {1})), verdict::content_changed));
  CHECK(executed_in(ask(creation(guid_of("slow")))).replayed);
  CHECK(queue.answered() == before + 2);

  store.reads.open();
  CHECK(has_verdict(queue.wait_for(first.get()), verdict::content_changed));
  const auto then = queue.wait_for(second.get());
  CHECK(has_verdict(then, verdict::content_changed));
  CHECK(executed_in(then).outcome.version == version{3});
}

TEST_CASE_METHOD(gateway_test, "several cold orders are read concurrently") {
  start_in_order();
  std::vector<order_id> held;
  for (std::uint64_t i = 0; i + 1 < order_loader::threads_default; ++i) held.push_back(create(guid_of(i)));
  const order_id other = create(guid_of("other"));
  store.make_cold();
  for (const order_id& each : held) store.hold_reads_of(each);
  store.reads.close();
  std::vector<std::uint32_t> tokens;
  for (std::size_t i = 0; i < held.size(); ++i) tokens.push_back(submit(replacement(guid_of(100 + i), held[i], {1})));
  CHECK(has_verdict(ask(replacement(guid_of("change"), other, {1})), verdict::content_changed));
  store.reads.open();
  CHECK(count_if(answers_to(tokens), has(verdict::content_changed)) == static_cast<std::ptrdiff_t>(held.size()));
}

TEST_CASE_METHOD(gateway_test,
                 "messages that wait for a failing read are refused, and a later message finds the order") {
  start_in_order();
  const order_id id = create(guid_of("k-0"));
  store.make_cold();
  store.hold_reads_of(id);
  store.reads.close();
  const auto first = submit_all({replacement(guid_of(1), id, {1}), replacement(guid_of(2), id, {2})});
  store.reads.wait_until_blocked();
  const auto second = submit(replacement(guid_of(3), id, {1}));
  store.break_reads(true);
  store.reads.open();
  CHECK(count_if(answers_to(first), is(unavailability::storage_failed)) == 2);
  CHECK(is_refused(queue.wait_for(second), unavailability::storage_failed));
  store.break_reads(false);
  CHECK(has_verdict(ask(replacement(guid_of(4), id, {1})), verdict::content_changed));
}

TEST_CASE_METHOD(gateway_test, "a stop waits for the reads in progress and drops the others") {
  start_in_order();
  std::vector<order_id> ids;
  for (std::uint64_t i = 0; i < 4 * order_loader::threads_default; ++i) ids.push_back(create(guid_of(i)));
  store.make_cold();
  for (const order_id& each : ids) store.hold_reads_of(each);
  store.reads.close();
  for (std::size_t i = 0; i < ids.size(); ++i) submit(replacement(guid_of(100 + i), ids[i], {1}));
  store.reads.wait_until_blocked();
  // reset() on this thread: a thread that has run actors holds CAF's logger, which the gateway's destructor waits for.
  auto opened = std::async(std::launch::async, [&] { store.reads.open(); });
  engine.reset();
  opened.get();
  CHECK(queue.answered() <= 2 * ids.size());
}

// fake_store checks the versions for gaps and forks; the test checks the answers.
TEST_CASE_METHOD(gateway_test, "actors are spawned and evicted under 32 concurrent clients, and no work is lost") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  constexpr std::size_t clients = 32;
  constexpr std::size_t rounds = 60;
  constexpr std::size_t orders = 24;
  constexpr std::size_t live_orders_max = 4;
  const bool cold = GENERATE(false, true);
  start({.shards = 2, .worker_threads = 2, .live_orders_max = live_orders_max});
  std::vector<order_id> ids;
  for (std::uint64_t i = 0; i < orders; ++i) ids.push_back(create(guid_of(i)));
  if (cold) store.make_cold();

  std::array<std::atomic<std::uint64_t>, orders> accepted{};
  std::atomic<std::size_t> unexpected{0};
  std::latch start_line(clients);
  std::vector<std::thread> threads;
  for (std::size_t client = 0; client < clients; ++client) {
    threads.emplace_back([&, client] {
      std::mt19937_64 random(seed + client);
      start_line.arrive_and_wait();
      for (std::size_t round = 0; round < rounds; ++round) {
        std::vector<std::size_t> chosen;
        std::vector<message> batch;
        for (std::size_t n = 1 + random() % 4; n > 0; --n) {
          const std::size_t which = random() % orders;
          const version against{1 + accepted[which].load() + random() % 2};
          batch.push_back(replacement(guid_of(1000 + (client * rounds + round) * 4 + n), ids[which], against));
          chosen.push_back(which);
        }
        const auto answers = answers_to(submit_all(std::move(batch)));
        for (std::size_t i = 0; i < answers.size(); ++i) {
          if (has_verdict(answers[i], verdict::content_changed)) {
            ++accepted[chosen[i]];
          } else if (!has_verdict(answers[i], verdict::stale_version)) {
            ++unexpected;
          }
        }
      }
    });
  }
  for (auto& each : threads) each.join();

  CHECK(unexpected == 0);
  for (std::size_t i = 0; i < orders; ++i) {
    INFO("order " << i);
    CHECK(store.find_order(ids[i]).value()->version == version{1 + accepted[i].load()});
  }
  REQUIRE(engine->drain(patience));
  // The last `unpin` arrives after the replies.
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (engine->counters().live_orders > static_cast<std::int64_t>(live_orders_max) &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  CHECK(engine->counters().live_orders <= static_cast<std::int64_t>(live_orders_max));
}

// --- merges ---

message merging(std::uint64_t name, order_id target, version expected, merge_content change) {
  message made = patch(guid_of(name), target, expected, std::move(change));
  made.expected_version->merges = true;
  return made;
}

merge_content new_customer(std::string id) {
  merge_content change;
  change.customer_id = std::move(id);
  return change;
}
merge_content new_currency(char letter) {
  merge_content change;
  change.currency = currency_code{'X', 'X', letter};
  return change;
}

TEST_CASE_METHOD(gateway_test,
                 "an update against an old version is merged, recorded once, and its repeat is a replay") {
  const order_id id = create(guid_of("order"));
  REQUIRE(has_verdict(ask(patch(guid_of(1), id, {1}, new_currency('A'))), verdict::content_changed));
  const auto merged = executed_in(ask(merging(2, id, {1}, new_customer("c-merged"))));
  CHECK(merged.outcome.verdict == verdict::content_changed);
  CHECK(merged.order->version == version{3});
  CHECK(merged.order->merged_from == version{1});
  CHECK(merged.order->content.customer_id == "c-merged");
  CHECK(merged.order->content.currency == currency_code{'X', 'X', 'A'});
  const auto again = executed_in(ask(merging(2, id, {1}, new_customer("c-merged"))));
  CHECK(again.replayed);
  CHECK(*again.order == *merged.order);
  CHECK(store.find_order(id).value()->version == version{3});
}

TEST_CASE_METHOD(gateway_test, "an update that clashes is rejected with its command, as is its repeat") {
  const order_id id = create(guid_of("order"));
  REQUIRE(has_verdict(ask(patch(guid_of(1), id, {1}, new_currency('A'))), verdict::content_changed));
  for (const bool repeated : {false, true}) {
    const auto clashing = executed_in(ask(merging(2, id, {1}, new_currency('B'))));
    CHECK(clashing.replayed == repeated);
    CHECK(clashing.outcome.verdict == verdict::stale_version);
    REQUIRE(clashing.unmerged != nullptr);
    CHECK(*clashing.unmerged == command{new_currency('B')});
  }
  CHECK(executed_in(ask(patch(guid_of(3), id, {1}, new_currency('B')))).unmerged == nullptr);
}

TEST_CASE_METHOD(gateway_test, "while a base is read, later messages of the order wait and other orders do not") {
  start_in_order({.worker_threads = 1});
  const order_id id = create(guid_of("order"));
  const order_id other = create(guid_of("other"));
  REQUIRE(has_verdict(ask(patch(guid_of(1), id, {1}, new_currency('A'))), verdict::content_changed));
  store.hold_version_reads();
  store.version_reads.close();
  const auto first =
      submit_all({patch(guid_of(2), id, {2}, new_currency('B')), merging(3, id, {1}, new_customer("c-1")),
                  patch(guid_of(4), id, {4}, new_currency('C'))});
  store.version_reads.wait_until_blocked();
  const auto later = submit(patch(guid_of(5), id, {5}, new_currency('D')));
  CHECK(has_verdict(ask(replacement(guid_of(6), other, {1})), verdict::content_changed));
  CHECK(has_verdict(queue.wait_for(first.front()), verdict::content_changed));
  store.version_reads.open();
  CHECK(count_if(answers_to(first), has(verdict::content_changed)) == 3);
  CHECK(executed_in(queue.wait_for(later)).order->version == version{6});
  CHECK(store.find_version(id, {4}).value()->merged_from == version{1});
}

TEST_CASE_METHOD(gateway_test,
                 "a base that can't be read refuses its update alone, and one that is not there is stale") {
  start_in_order();
  const order_id id = create(guid_of("order"));
  REQUIRE(has_verdict(ask(patch(guid_of(1), id, {1}, new_currency('A'))), verdict::content_changed));
  store.hold_version_reads();
  store.version_reads.close();
  const auto tokens =
      submit_all({merging(2, id, {1}, new_customer("c-1")), patch(guid_of(3), id, {2}, new_currency('B'))});
  store.version_reads.wait_until_blocked();
  store.break_reads(true);
  store.version_reads.open();
  CHECK(is_refused(queue.wait_for(tokens[0]), unavailability::storage_failed));
  CHECK(has_verdict(queue.wait_for(tokens[1]), verdict::content_changed));
  store.break_reads(false);
  CHECK(has_verdict(ask(merging(2, id, {1}, new_customer("c-1"))), verdict::content_changed));
}

// Each client sets one attribute of its own, again and again, always against the version that it read first. So nothing
// clashes with another client, and the attributes of the last version are the last ones of all clients.
TEST_CASE_METHOD(gateway_test, "each of 32 clients that edit fields of their own has its edit in the end") {
  constexpr std::size_t clients = 32;
  constexpr std::size_t rounds = 20;
  start({.shards = 2, .worker_threads = 2});
  const order_id id = create(guid_of("order"));
  std::atomic<std::size_t> rejected{0};
  std::latch start_line(clients);
  std::vector<std::thread> threads;
  for (std::size_t client = 0; client < clients; ++client) {
    threads.emplace_back([&, client] {
      const std::string own = "client-" + std::to_string(client);
      version had{1};
      start_line.arrive_and_wait();
      for (std::size_t round = 0; round < rounds; ++round) {
        merge_content change;
        change.attributes = json_object{{own, {json_number{std::to_string(round)}}}};
        const auto answered = executed_in(ask(merging(1000 + client * rounds + round, id, had, std::move(change))));
        if (!is_accepted(answered.outcome.verdict)) {
          ++rejected;
        } else {
          had = answered.order->version;  // its own last edit is in the base of the next
        }
      }
    });
  }
  for (auto& each : threads) each.join();
  CHECK(rejected == 0);
  const auto last = store.find_order(id).value();
  CHECK(last->version == version{1 + clients * rounds});
  REQUIRE(last->content.attributes.has_value());
  CHECK(last->content.attributes->size() == clients);
  for (const auto& [name, value] : *last->content.attributes) {
    CHECK(value == json_value{json_number{std::to_string(rounds - 1)}});
  }
}

}  // namespace
}  // namespace ordem::actors
