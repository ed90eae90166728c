// Random calls of captures from several threads, on a real store. Each entry of the log must be a change that the rules
// of captures allow on the entries before it, and each answer must agree with the log.

#include <algorithm>
#include <catch2/catch.hpp>
#include <latch>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "actors/gateway.hpp"
#include "engine/rules/capture_rules.hpp"
#include "storage/log/store.hpp"
#include "tests/actors/support.hpp"
#include "tests/support_cpp/seed.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::actors {
namespace {

using namespace testing;

struct random_calls {
  static constexpr unsigned threads = 4;
  static constexpr std::uint32_t steps = 500;
  static constexpr std::uint64_t keys = 12;

  temp_folder folder;
  manual_clock clock;
  std::unique_ptr<storage::store> store;
  collecting_queue queue;
  std::map<std::uint32_t, capture_request> sent;  // by token

  random_calls() {
    storage::store_settings settings;
    settings.folder = folder.path();
    settings.durability = storage::durability::os;
    auto opened = storage::open_store(std::move(settings), clock);
    if (!opened) throw std::runtime_error(opened.error().message);
    store = std::move(*opened);
  }

  // Each body is sent once, and so identifies its call.
  static capture_request some_call(std::uint32_t token, std::mt19937_64& random) {
    const capture_key key = key_of(random() % keys);
    switch (random() % 5) {
      case 0:
      case 1: return allocation(key);
      case 2: return release(key);
      default: return record(key, response_of(std::to_string(token)));
    }
  }

  // Each thread repeatedly sends some calls and waits for one of them; one thread moves the clock.
  void run(gateway& engine, std::uint64_t seed) {
    const auto queue_number = engine.add_queue(queue);
    std::mutex sent_mutex;
    std::latch start(threads);
    std::vector<std::thread> all;
    for (std::uint32_t i = 0; i < threads; ++i) {
      all.emplace_back([&, i] {
        std::mt19937_64 random(seed + i);
        start.arrive_and_wait();
        for (std::uint32_t next = i * steps; next < (i + 1) * steps;) {
          std::vector<submission> batch;
          for (auto size = 1 + random() % 8; size > 0 && next < (i + 1) * steps; --size, ++next) {
            batch.push_back({{queue_number, next}, some_call(next, random)});
            const std::lock_guard lock(sent_mutex);
            sent.emplace(next, std::get<capture_request>(batch.back().request));
          }
          const std::uint32_t waits_for = batch[random() % batch.size()].token.number;
          if (i == 0) clock.advance(milliseconds(random() % 20));
          engine.submit(std::move(batch));
          if (random() % 3 != 0) queue.wait_for(waits_for);
        }
      });
    }
    for (auto& each : all) each.join();
  }
};

struct change_counts {
  std::map<capture_verdict, std::size_t> counts;
  std::set<std::string> bodies;  // recorded
};

// Checks that each entry is the change that some call makes on the entries before it.
change_counts check_log(const storage::store& store, const capture_terms& terms, timestamp end) {
  const auto entries = store.log().read({1}, std::numeric_limits<std::size_t>::max());
  REQUIRE(entries);
  std::map<std::string, shared_capture> captures;
  change_counts changes;
  for (const storage::logged_entry& logged : *entries) {
    const storage::capture_entry& each = *logged.capture();
    INFO("position " << logged.position.number << ", key " << each.key);
    const capture_request request = each.after == nullptr             ? release(each.key)
                                    : each.after->response == nullptr ? allocation(each.key)
                                                                      : record(each.key, each.after->response);
    shared_capture& current = captures[std::string(each.key.view())];
    const auto expected = decide(current, request, terms, each.at);
    REQUIRE(expected.change);
    REQUIRE((expected.change->after == nullptr) == (each.after == nullptr));
    if (each.after != nullptr) REQUIRE(*each.after == *expected.change->after);
    if (each.after && each.after->response) REQUIRE(changes.bodies.insert(each.after->response->body).second);
    ++changes.counts[expected.verdict];
    current = each.after;
  }
  for (const auto& [name, current] : captures) {
    const shared_capture found = store.view().find_capture({}, key_of(name), end).value();
    const bool is_kept = current != nullptr && current->is_kept_at(end);
    REQUIRE((found != nullptr) == is_kept);
    if (is_kept) REQUIRE(*found == *current);
  }
  return changes;
}

TEST_CASE("random calls of captures make allowed changes, and each caller gets the answer for his change") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  gateway_settings settings;
  settings.shards = static_cast<std::uint32_t>(1 + random() % 4);
  settings.worker_threads = static_cast<std::uint32_t>(1 + random() % 4);
  settings.captures.lease = milliseconds(random() % 100);
  settings.captures.ttl = settings.captures.lease + milliseconds(random() % 500);
  random_calls calls;
  {
    storage::store& store = *calls.store;
    gateway engine(settings, {.log = store.log(),
                              .view = store.view(),
                              .orders = store.view(),
                              .captures = store.view(),
                              .clock = calls.clock});
    calls.run(engine, seed);
    REQUIRE(engine.drain(patience));
  }

  const auto answers = calls.queue.wait_for_all(calls.sent.size());
  CHECK(answers.size() == calls.sent.size());
  CHECK_FALSE(calls.queue.answered_twice());
  change_counts logged = check_log(*calls.store, settings.captures, calls.clock.now());
  change_counts answered;
  for (const auto& [token, request] : calls.sent) {
    const auto& result = std::get<capture_answer>(answers.at(token));
    CAPTURE(token, result.verdict);
    REQUIRE(result.key == request.key);
    if (result.verdict == capture_verdict::recorded) answered.bodies.insert(std::to_string(token));
    if (result.response) REQUIRE(logged.bodies.contains(result.response->body));
    REQUIRE((result.response != nullptr) == (result.verdict == capture_verdict::completed));
    if (logged.counts.contains(result.verdict)) ++answered.counts[result.verdict];
  }
  // An allocation whose lease ended before it was durable is answered as in flight.
  CHECK(answered.counts[capture_verdict::allocated] <= logged.counts[capture_verdict::allocated]);
  for (change_counts* each : {&answered, &logged}) each->counts.erase(capture_verdict::allocated);
  CHECK(answered.counts == logged.counts);
  CHECK(answered.bodies == logged.bodies);
}

}  // namespace
}  // namespace ordem::actors
