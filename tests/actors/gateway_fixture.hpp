// A gateway over a store in memory, for tests.
#pragma once

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/gateway.hpp"
#include "tests/actors/support.hpp"

namespace ordem::testing {

using namespace actors;

struct gateway_test {
  manual_clock clock;
  fake_store store;
  collecting_queue queue;
  std::atomic<int> log_failures{0};
  bool recovers = false;  // whether engines that are started from now on try again after a failed write
  std::unique_ptr<gateway> engine;
  std::uint32_t queue_number = 0;
  std::atomic<std::uint32_t> next_token{0};

  gateway_test() { start({}); }
  ~gateway_test() {
    store.appends.open();
    store.syncs.open();
    store.reads.open();
    engine.reset();
    CHECK_FALSE(queue.answered_twice());
    CHECK(store.faults() == std::vector<std::string>{});
  }

  void start(const gateway_settings& settings, gateway_events events = {}, storage::sink* sink = nullptr) {
    start(settings, clock, std::move(events), sink);
  }
  void start(gateway_settings settings, const time_source& other_clock, gateway_events events = {},
             storage::sink* sink = nullptr) {
    settings.write_retry_first = recovers ? milliseconds(0) : std::chrono::hours(1);
    events.on_write_failure = [this] { ++log_failures; };
    engine.reset();
    engine = std::make_unique<gateway>(settings,
                                       gateway_ports{.log = store,
                                                     .view = store,
                                                     .orders = store,
                                                     .captures = store,
                                                     .clock = other_clock,
                                                     .newest_order = store.newest_order(),
                                                     .sink = sink},
                                       std::move(events));
    queue_number = engine->add_queue(queue);
  }
  // With one shard, so that messages are decided in the order of their submission.
  void start_in_order(gateway_settings settings = {}) {
    settings.shards = 1;
    start(settings);
  }

  // Waits until it holds. Returns whether it does.
  template <class Condition>
  static bool wait_until(Condition holds) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!holds() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return holds();
  }

  // Submits messages, calls of captures, or both.
  template <class Request>
  std::vector<std::uint32_t> submit_all(std::vector<Request> requests) {
    std::vector<std::uint32_t> tokens;
    std::vector<submission> batch;
    for (Request& each : requests) {
      tokens.push_back(next_token++);
      batch.push_back({{queue_number, tokens.back()}, std::move(each)});
    }
    engine->submit(std::move(batch));
    return tokens;
  }
  std::vector<std::uint32_t> submit_all(std::vector<message> messages) {
    return submit_all<message>(std::move(messages));
  }
  std::uint32_t submit(engine_request what) { return submit_all(std::vector{std::move(what)}).front(); }
  answer ask(engine_request what) { return queue.wait_for(submit(std::move(what))); }

  std::vector<answer> answers_to(const std::vector<std::uint32_t>& tokens) {
    std::vector<answer> answers;
    for (const auto each : tokens) answers.push_back(queue.wait_for(each));
    return answers;
  }

  order_id create(guid id) { return executed_in(ask(creation(std::move(id)))).outcome.order; }
};

inline std::vector<message> creations(std::uint64_t first, std::uint64_t count) {
  std::vector<message> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(creation(guid_of(first + i)));
  return all;
}

template <class Predicate>
auto count_if(const std::vector<answer>& answers, Predicate predicate) {
  return std::count_if(answers.begin(), answers.end(), predicate);
}

inline auto has(verdict what) {
  return [what](const answer& result) { return has_verdict(result, what); };
}
inline auto has(capture_verdict what) {
  return [what](const answer& result) {
    const auto* captured = std::get_if<capture_answer>(&result);
    return captured != nullptr && captured->verdict == what;
  };
}
inline auto is(unavailability why) {
  return [why](const answer& result) { return is_refused(result, why); };
}

}  // namespace ordem::testing
