// Random traffic from several threads through the gateway on a real store, checked against a simple model: the log must
// be what deciding its messages one after the other gives, and every answer must agree with the log.

#include <algorithm>
#include <catch2/catch.hpp>
#include <latch>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "actors/gateway.hpp"
#include "engine/rules/decide.hpp"
#include "storage/log/store.hpp"
#include "tests/actors/request_book.hpp"
#include "tests/actors/support.hpp"
#include "tests/support_cpp/seed.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::actors {
namespace {

using namespace testing;

struct random_traffic {
  static constexpr unsigned threads = 4;
  static constexpr unsigned steps = 400;
  static constexpr std::uint64_t guids = 300;  // fewer than messages, so that many are repeated

  temp_folder folder;
  manual_clock clock;
  std::unique_ptr<storage::store> store;
  collecting_queue queue;
  std::map<std::uint32_t, message> sent;  // by token

  explicit random_traffic(storage::durability level) {
    storage::store_settings settings;
    settings.folder = folder.path();
    settings.durability = level;
    auto opened = storage::open_store(std::move(settings), clock);
    if (!opened) throw std::runtime_error(opened.error().message);
    store = std::move(*opened);
  }

  // Each thread repeatedly sends some messages and waits for some of the answers.
  void run(gateway& engine, request_book& book, std::uint64_t seed) {
    const auto queue_number = engine.add_queue(queue);
    std::atomic<std::uint32_t> next_token{0};
    std::mutex sent_mutex;
    std::latch start(threads);
    std::vector<std::thread> all;
    for (unsigned i = 0; i < threads; ++i) {
      all.emplace_back([&, i] {
        std::mt19937_64 random(seed + i);
        start.arrive_and_wait();
        for (unsigned done = 0; done < steps;) {
          std::vector<submission> batch;
          for (auto size = 1 + random() % 8; size > 0; --size, ++done) {
            batch.push_back({{queue_number, next_token++}, book.some_message(0, guids)});
          }
          const std::uint32_t waits_for = batch[random() % batch.size()].token.number;
          {
            const std::lock_guard lock(sent_mutex);
            for (const submission& each : batch) sent.emplace(each.token.number, std::get<message>(each.request));
          }
          engine.submit(std::move(batch));
          if (random() % 3 == 0) continue;
          const answer result = queue.wait_for(waits_for);
          if (is_executed(result) && executed_in(result).order) book.learn(executed_in(result).order);
        }
      });
    }
    for (auto& each : all) each.join();
  }
};

// Decides the messages of the log again, in its order. Returns the outcomes by GUID.
std::map<std::string, outcome> check_log(const storage::store& store, const request_book& book) {
  std::map<order_id, shared_order> orders;
  std::map<std::string, outcome> by_guid;
  std::uint64_t last = 0;
  const auto entries = store.log().read({1}, std::numeric_limits<std::size_t>::max());
  REQUIRE(entries);
  for (const storage::logged_entry& each : *entries) {
    REQUIRE(each.position.number == ++last);
    const storage::message_entry& logged = *each.message();
    const message request = book.request_of(logged.guid);
    INFO("position " << last << ", GUID " << request.guid.view());

    const order_id id = request.target.value_or(logged.record.outcome.order);
    shared_order& current = orders[id];
    REQUIRE(request.target.has_value() == (current != nullptr));
    const timestamp now = logged.after ? logged.after->updated_at : sample_time;
    auto decision = decide(current.get(), request, id, now);
    outcome expected;
    if (auto* happened = std::get_if<event>(&decision)) {
      current = shared(apply(current.get(), std::move(*happened)));
      REQUIRE(*logged.after == *current);
      expected = accepted_outcome(request, *current);
    } else {
      REQUIRE(std::holds_alternative<outcome>(decision));
      REQUIRE(logged.after == nullptr);
      expected = std::get<outcome>(decision);
    }
    REQUIRE(logged.record.outcome == expected);
    REQUIRE(by_guid.emplace(request.guid.view(), expected).second);  // once per GUID
  }
  REQUIRE(store.log().last() == position{last});
  for (const auto& [id, current] : orders) REQUIRE(*store.view().find_order(id).value() == *current);
  return by_guid;
}

void check_answer(const message& request, const answer& result, const std::map<std::string, outcome>& by_guid,
                  std::set<std::string>& executed_fresh) {
  const std::string name(request.guid.view());
  INFO("GUID " << name);
  const auto known = by_guid.find(name);
  if (is_executed(result)) {
    const executed& done = executed_in(result);
    REQUIRE(known != by_guid.end());
    REQUIRE(done.outcome == known->second);
    REQUIRE(is_accepted(done.outcome.verdict) == (done.order != nullptr));
    if (done.order) REQUIRE(done.order->version == done.outcome.version);
    if (!done.replayed) REQUIRE(executed_fresh.insert(name).second);
    return;
  }
  // The only refusals that this traffic can get. A message for an order that does not exist has no outcome.
  REQUIRE((is_refused<guid_reused>(result) || is_refused<order_not_found>(result)));
  if (is_refused<order_not_found>(result)) REQUIRE(known == by_guid.end());
}

TEST_CASE("random traffic is decided serially, once per GUID, without a gap") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  random_traffic traffic(random() % 2 == 0 ? storage::durability::fsync : storage::durability::os);
  request_book book(seed);
  gateway_settings settings;
  settings.shards = static_cast<std::uint32_t>(1 + random() % 4);
  settings.worker_threads = static_cast<std::uint32_t>(1 + random() % 4);
  settings.live_orders_max = 1 + random() % 20;
  settings.id_seed = seed;
  {
    storage::store& store = *traffic.store;
    gateway engine(settings, {.log = store.log(),
                              .view = store.view(),
                              .orders = store.view(),
                              .captures = store.view(),
                              .clock = traffic.clock});
    traffic.run(engine, book, seed);
    REQUIRE(engine.drain(patience));
  }

  const auto answers = traffic.queue.wait_for_all(traffic.sent.size());
  CHECK(answers.size() == traffic.sent.size());
  CHECK_FALSE(traffic.queue.answered_twice());
  const auto by_guid = check_log(*traffic.store, book);
  std::set<std::string> executed_fresh;
  // If the changed request of a GUID came first, the request in the book is the one that was refused.
  for (const auto& [token, request] : traffic.sent) check_answer(request, answers.at(token), by_guid, executed_fresh);
  CHECK(executed_fresh.size() == by_guid.size());
}

}  // namespace
}  // namespace ordem::actors
