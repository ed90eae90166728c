// Captures through the gateway: one allocation for any number of concurrent calls, and no answer before it is durable.

#include <catch2/catch.hpp>
#include <latch>
#include <thread>

#include "actors/gateway.hpp"
#include "tests/actors/gateway_fixture.hpp"

namespace ordem::actors {
namespace {

using namespace testing;

struct gateway_capture_test : gateway_test {
  // A key with a durable allocation: the shard answers a call for it at once, after all calls before it.
  const capture_key fence = key_of("fence-AA");

  void start_with_fence() {
    start_in_order();
    REQUIRE(has(capture_verdict::allocated)(ask(allocation(fence))));
  }
  void pass_fence() { REQUIRE(has(capture_verdict::in_flight)(ask(allocation(fence)))); }
  void allocate(const capture_key& key) { REQUIRE(has(capture_verdict::allocated)(ask(allocation(key)))); }

  std::string body_of(const answer& result) { return std::get<capture_answer>(result).response->body; }
};

std::vector<capture_request> allocations(std::size_t count) {
  return std::vector<capture_request>(count, allocation(some_key));
}

// --- one allocation, one record ---

TEST_CASE_METHOD(gateway_capture_test, "a key is allocated, recorded and completed, or released") {
  CHECK(has(capture_verdict::unknown)(ask(release(some_key))));
  CHECK(has(capture_verdict::not_recordable)(ask(record(some_key, response_of("r")))));
  CHECK(has(capture_verdict::allocated)(ask(allocation(some_key))));
  CHECK(has(capture_verdict::in_flight)(ask(allocation(some_key))));
  CHECK(has(capture_verdict::released)(ask(release(some_key))));
  CHECK(has(capture_verdict::allocated)(ask(allocation(some_key))));
  CHECK(has(capture_verdict::recorded)(ask(record(some_key, response_of("r")))));
  CHECK(has(capture_verdict::not_releasable)(ask(release(some_key))));
  const answer completed = ask(allocation(some_key));
  REQUIRE(has(capture_verdict::completed)(completed));
  CHECK(std::get<capture_answer>(completed).key == some_key);
  CHECK(body_of(completed) == "r");
  CHECK(store.last() == position{4});
}

TEST_CASE_METHOD(gateway_capture_test, "a key is allocated to one of many concurrent callers") {
  constexpr unsigned threads = 8;
  constexpr unsigned each = 125;
  std::latch start_line(threads);
  std::vector<std::thread> all;
  for (unsigned i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      start_line.arrive_and_wait();
      for (unsigned j = 0; j < each; ++j) submit(allocation(some_key));
    });
  }
  for (auto& thread : all) thread.join();

  unsigned allocated = 0;
  for (const auto& [token, result] : queue.wait_for_all(threads * each)) {
    if (has(capture_verdict::allocated)(result)) {
      ++allocated;
    } else {
      REQUIRE(has(capture_verdict::in_flight)(result));
    }
  }
  CHECK(allocated == 1);
  CHECK(store.last() == position{1});
}

TEST_CASE_METHOD(gateway_capture_test, "of concurrent records the first is kept, and the others are not recordable") {
  allocate(some_key);
  std::vector<capture_request> race;
  for (int i = 0; i < 200; ++i) race.push_back(record(some_key, response_of(std::to_string(i))));
  const auto answers = answers_to(submit_all(std::move(race)));
  REQUIRE(count_if(answers, has(capture_verdict::recorded)) == 1);
  CHECK(count_if(answers, has(capture_verdict::not_recordable)) == 199);
  const auto first = std::find_if(answers.begin(), answers.end(), has(capture_verdict::recorded)) - answers.begin();
  CHECK(body_of(ask(allocation(some_key))) == std::to_string(first));
  CHECK(store.last() == position{2});
}

TEST_CASE_METHOD(gateway_capture_test, "a call sent after an answer sees the state that it reported") {
  for (std::uint64_t i = 0; i < 300; ++i) {
    allocate(key_of(i));
    if (i % 2 == 0) {
      REQUIRE(has(capture_verdict::recorded)(ask(record(key_of(i), response_of(std::to_string(i))))));
      REQUIRE(body_of(ask(allocation(key_of(i)))) == std::to_string(i));
    } else {
      REQUIRE(has(capture_verdict::released)(ask(release(key_of(i)))));
      REQUIRE(has(capture_verdict::unknown)(ask(release(key_of(i)))));
    }
  }
}

TEST_CASE_METHOD(gateway_capture_test, "an expired lease is taken over by one caller") {
  start({.captures = {milliseconds(1000), milliseconds(5000)}});
  allocate(some_key);
  clock.advance(milliseconds(999));
  CHECK(has(capture_verdict::in_flight)(ask(allocation(some_key))));
  clock.advance(milliseconds(1));
  const auto answers = answers_to(submit_all(allocations(50)));
  CHECK(count_if(answers, has(capture_verdict::allocated)) == 1);
  CHECK(count_if(answers, has(capture_verdict::in_flight)) == 49);
}

TEST_CASE_METHOD(gateway_capture_test,
                 "of allocations whose leases end before they are durable only the last is answered as allocated") {
  start_in_order({.captures = {milliseconds(1000), milliseconds(5000)}});
  store.syncs.close();
  std::vector<std::uint32_t> tokens;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    tokens.push_back(submit(allocation(some_key)));
    REQUIRE(wait_until([&] { return store.appended() == position{i}; }));
    if (i < 3) clock.advance(milliseconds(1000));
  }
  store.syncs.open();
  const auto answers = answers_to(tokens);
  CHECK(has(capture_verdict::in_flight)(answers[0]));
  CHECK(has(capture_verdict::in_flight)(answers[1]));
  CHECK(has(capture_verdict::allocated)(answers[2]));
  CHECK(engine->counters().captures[static_cast<std::size_t>(capture_verdict::allocated)] == 1);
  CHECK(has(capture_verdict::recorded)(ask(record(some_key, response_of("r")))));
}

TEST_CASE_METHOD(gateway_capture_test,
                 "an allocation whose lease ends before it is durable is answered as in flight, and the key is free") {
  start_in_order({.captures = {milliseconds(1000), milliseconds(5000)}});
  store.syncs.close();
  const auto late = submit(allocation(some_key));
  store.syncs.wait_until_blocked();
  clock.advance(milliseconds(1000));
  store.syncs.open();
  CHECK(has(capture_verdict::in_flight)(queue.wait_for(late)));
  CHECK(has(capture_verdict::allocated)(ask(allocation(some_key))));
}

TEST_CASE_METHOD(gateway_capture_test,
                 "an allocation without an end is answered as allocated however long the sync takes") {
  start_in_order({.captures = {milliseconds(0), milliseconds(5000)}});
  store.syncs.close();
  const auto late = submit(allocation(some_key));
  store.syncs.wait_until_blocked();
  clock.advance(std::chrono::hours(1));
  store.syncs.open();
  CHECK(has(capture_verdict::allocated)(queue.wait_for(late)));
}

TEST_CASE_METHOD(gateway_capture_test, "a key and a GUID with the same characters are independent") {
  allocate(some_key);
  const auto created = ask(creation(guid_of(some_key.view())));
  CHECK(has_verdict(created, verdict::order_created));
  CHECK(has(capture_verdict::in_flight)(ask(allocation(some_key))));
}

// --- durable before answered ---

TEST_CASE_METHOD(gateway_capture_test, "no call is answered from an allocation that is not durable") {
  start_with_fence();
  latch& step = GENERATE(true, false) ? store.appends : store.syncs;
  step.close();
  const auto tokens = submit_all(allocations(100));
  step.wait_until_blocked();
  pass_fence();
  CHECK(queue.answered() == 2);
  CHECK(store.find_capture({}, some_key, clock.now()).value() == nullptr);
  step.open();
  const auto answers = answers_to(tokens);
  CHECK(has(capture_verdict::allocated)(answers.front()));
  CHECK(count_if(answers, has(capture_verdict::in_flight)) == 99);
}

TEST_CASE_METHOD(gateway_capture_test, "no call is answered from a record or a release that is not durable") {
  start_with_fence();
  allocate(some_key);
  const capture_key other = key_of("other-key-AA");
  allocate(other);
  store.syncs.close();
  const auto tokens = submit_all(std::vector<capture_request>{
      record(some_key, response_of("r")), allocation(some_key), record(some_key, response_of("s")), release(some_key),
      release(other), allocation(other), release(other), release(other), record(other, response_of("t"))});
  store.syncs.wait_until_blocked();
  pass_fence();
  CHECK(queue.answered() == 4);
  CHECK(store.find_capture({}, some_key, clock.now()).value()->response == nullptr);
  CHECK(store.find_capture({}, other, clock.now()).value() != nullptr);
  store.syncs.open();
  const auto answers = answers_to(tokens);
  const capture_verdict expected[] = {
      capture_verdict::recorded,       capture_verdict::completed, capture_verdict::not_recordable,
      capture_verdict::not_releasable, capture_verdict::released,  capture_verdict::allocated,
      capture_verdict::released,       capture_verdict::unknown,   capture_verdict::not_recordable};
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    CHECK(std::get<capture_answer>(answers[i]).verdict == expected[i]);
  }
  CHECK(body_of(answers[1]) == "r");
}

TEST_CASE_METHOD(gateway_capture_test, "when the log fails, no allocation is confirmed, and nothing becomes visible") {
  start_with_fence();
  allocate(some_key);
  const bool append_fails = GENERATE(true, false);
  latch& step = append_fails ? store.appends : store.syncs;
  step.close();
  const capture_key other = key_of("other-key-AA");
  auto tokens = submit_all(std::vector<capture_request>{allocation(other)});
  step.wait_until_blocked();
  std::vector<capture_request> behind = {record(some_key, response_of("r")), allocation(some_key), release(some_key)};
  behind.insert(behind.end(), 50, allocation(other));
  for (const auto each : submit_all(std::move(behind))) tokens.push_back(each);
  pass_fence();
  append_fails ? store.break_appends() : store.break_syncs();
  step.open();
  CHECK(count_if(answers_to(tokens), is(unavailability::read_only)) == 54);
  CHECK(store.last() == position{2});
  CHECK(store.find_capture({}, other, clock.now()).value() == nullptr);
  CHECK(store.find_capture({}, some_key, clock.now()).value()->response == nullptr);
  CHECK(log_failures == 1);
  CHECK(is_refused(ask(allocation(key_of("more"))), unavailability::read_only));
  CHECK(is_refused(ask(allocation(other)), unavailability::read_only));
}

TEST_CASE_METHOD(gateway_capture_test, "a key that can't be read from the store is not allocated") {
  store.break_reads(true);
  CHECK(is_refused(ask(allocation(some_key)), unavailability::storage_failed));
  CHECK(is_refused(ask(record(some_key, response_of("r"))), unavailability::storage_failed));
  CHECK(is_refused(ask(release(some_key)), unavailability::storage_failed));
  store.break_reads(false);
  CHECK(has(capture_verdict::allocated)(ask(allocation(some_key))));
}

// --- groups ---

// fake_store records a violation if a group is too large.
TEST_CASE_METHOD(gateway_capture_test, "a group with the most bytes of captured responses takes no more entries") {
  start_with_fence();
  constexpr std::size_t body_bytes = storage::group_bytes_max / 4;
  constexpr std::uint64_t keys = 30;
  for (std::uint64_t i = 0; i < keys; ++i) allocate(key_of(i));
  const std::size_t before = store.append_calls();
  const auto response = response_of(std::string(body_bytes, 'x'));
  std::vector<capture_request> records;
  for (std::uint64_t i = 0; i < keys; ++i) records.push_back(record(key_of(i), response));
  CHECK(count_if(answers_to(submit_all(std::move(records))), has(capture_verdict::recorded)) == keys);
  CHECK(store.append_calls() - before == (keys + 3) / 4);
}

TEST_CASE_METHOD(gateway_capture_test, "messages and captures share the log, in the order of their submission") {
  start_in_order();
  store.appends.close();
  const auto first = submit(creation(guid_of("k-0")));
  store.appends.wait_until_blocked();
  std::vector<std::uint32_t> tokens;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    tokens.push_back(submit(creation(guid_of(i))));
    tokens.push_back(submit(allocation(key_of(i))));
  }
  store.appends.open();
  queue.wait_for(first);
  const auto answers = answers_to(tokens);
  CHECK(count_if(answers, has(verdict::order_created)) == 20);
  CHECK(count_if(answers, has(capture_verdict::allocated)) == 20);
  const auto log = store.read({2}, 100).value();
  REQUIRE(log.size() == 40);
  for (std::size_t i = 0; i < log.size(); ++i) CHECK((log[i].capture() != nullptr) == (i % 2 == 1));
}

// --- overload, drain ---

TEST_CASE_METHOD(gateway_capture_test, "calls of captures are bounded, drained and rejected as messages are") {
  start({.in_flight_max = 4});
  store.appends.close();
  const auto taken = submit_all(allocations(4));
  CHECK(is_refused(ask(allocation(some_key)), unavailability::overloaded));
  store.appends.open();
  CHECK(count_if(answers_to(taken), has(capture_verdict::in_flight)) == 3);
  REQUIRE(engine->drain(patience));
  CHECK(engine->in_flight() == 0);
  CHECK(is_refused(ask(allocation(some_key)), unavailability::draining));
}

TEST_CASE_METHOD(gateway_capture_test, "a gateway can be destroyed with captures in flight") {
  submit_all(allocations(1000));
  engine.reset();
}

// --- counters ---

TEST_CASE_METHOD(gateway_capture_test, "every call of captures is counted once, by its verdict") {
  ask(release(some_key));
  allocate(some_key);
  ask(allocation(some_key));
  ask(allocation(some_key));
  ask(release(some_key));
  allocate(some_key);
  // None of these is durable when it is decided.
  answers_to(submit_all(std::vector<capture_request>{record(some_key, response_of("r")), allocation(some_key),
                                                     record(some_key, response_of("s")), release(some_key)}));
  ask(allocation(some_key));
  ask(record(some_key, response_of("s")));
  REQUIRE(engine->drain(patience));

  const auto& counts = engine->counters();
  const std::map<capture_verdict, std::uint64_t> expected = {
      {capture_verdict::allocated, 2}, {capture_verdict::in_flight, 2},      {capture_verdict::completed, 2},
      {capture_verdict::recorded, 1},  {capture_verdict::not_recordable, 2}, {capture_verdict::released, 1},
      {capture_verdict::unknown, 1},   {capture_verdict::not_releasable, 1}};
  for (const auto& [what, count] : expected) {
    CAPTURE(what);
    CHECK(counts.captures[static_cast<std::size_t>(what)] == count);
  }
  CHECK(counts.refusals == 0);
  CHECK(counts.replays == 0);
  for (const auto& outcome : counts.outcomes) CHECK(outcome == 0);
}

}  // namespace
}  // namespace ordem::actors
