#include "actors/captures/capture_table.hpp"

#include <catch2/catch.hpp>

#include "tests/actors/support.hpp"

namespace ordem::actors {
namespace {

using namespace testing;

const capture_key some_key = key_of("some-key");
const capture_key other_key = key_of("other-key-AA");

struct capture_table_test {
  fake_store committed;
  manual_clock clock;
  capture_table table{committed, sample_terms};

  capture_table::admission admit(capture_request asked) { return table.admit(std::move(asked), clock.now()); }
  capture_table::admission put() { return admit(allocation(some_key)); }
  capture_table::admission post(std::string body) { return admit(record(some_key, response_of(std::move(body)))); }
  capture_table::admission give_up() { return admit(release(some_key)); }

  // What was decided becomes durable, and is told to the table.
  void commit(const capture_table::admission& decided) {
    write(*decided.entry);
    table.complete(some_key);
  }
  void write(const storage::entry& what) {
    REQUIRE(committed.append(std::span(&what, 1)));
    REQUIRE(committed.sync());
  }
};

capture_verdict verdict_in(const capture_table::admission& given) {
  return std::get<capture_answer>(given.answer).verdict;
}
const storage::capture_entry& entry_in(const capture_table::admission& given) {
  return std::get<storage::capture_entry>(given.entry.value());
}

TEST_CASE_METHOD(capture_table_test, "an allocation of an unknown key is a change, which its answer waits for") {
  const auto given = put();
  CHECK(verdict_in(given) == capture_verdict::allocated);
  CHECK(std::get<capture_answer>(given.answer).key == some_key);
  CHECK(given.waits);
  CHECK(entry_in(given).key == some_key);
  CHECK(entry_in(given).at == clock.now());
  CHECK(*entry_in(given).after == *allocated_at(clock.now()));
  CHECK(table.in_flight() == 1);
}

TEST_CASE_METHOD(capture_table_test, "what is told of a change that is not durable waits too, and changes nothing") {
  put();
  const auto second = put();
  CHECK(verdict_in(second) == capture_verdict::in_flight);
  CHECK(second.waits);
  CHECK_FALSE(second.entry);
  CHECK(table.in_flight() == 1);
}

TEST_CASE_METHOD(capture_table_test, "what is told of what is durable does not wait") {
  commit(put());
  CHECK(table.in_flight() == 0);
  const auto second = put();
  CHECK(verdict_in(second) == capture_verdict::in_flight);
  CHECK_FALSE(second.waits);
  CHECK_FALSE(second.entry);

  commit(post("r"));
  const auto third = put();
  CHECK(verdict_in(third) == capture_verdict::completed);
  CHECK(std::get<capture_answer>(third.answer).response->body == "r");
  CHECK_FALSE(third.waits);
  const auto late = post("s");
  CHECK(verdict_in(late) == capture_verdict::not_recordable);
  CHECK_FALSE(late.waits);
  CHECK(verdict_in(give_up()) == capture_verdict::not_releasable);
  CHECK(table.in_flight() == 0);
}

TEST_CASE_METHOD(capture_table_test, "what is told of a key that nobody allocated does not wait") {
  const auto recorded = post("r");
  CHECK(verdict_in(recorded) == capture_verdict::not_recordable);
  const auto released = give_up();
  CHECK(verdict_in(released) == capture_verdict::unknown);
  for (const auto* each : {&recorded, &released}) {
    CHECK_FALSE(each->waits);
    CHECK_FALSE(each->entry);
  }
  CHECK(table.in_flight() == 0);
}

TEST_CASE_METHOD(capture_table_test, "a key moves on from state to state before any of them is durable") {
  CHECK(verdict_in(put()) == capture_verdict::allocated);
  const auto released = give_up();
  CHECK(verdict_in(released) == capture_verdict::released);
  CHECK(entry_in(released).after == nullptr);
  CHECK(verdict_in(give_up()) == capture_verdict::unknown);
  CHECK(verdict_in(post("too late")) == capture_verdict::not_recordable);
  CHECK(verdict_in(put()) == capture_verdict::allocated);
  const auto recorded = post("r");
  CHECK(verdict_in(recorded) == capture_verdict::recorded);
  CHECK(entry_in(recorded).after->response->body == "r");
  CHECK(verdict_in(post("s")) == capture_verdict::not_recordable);
  const auto completed = put();
  CHECK(verdict_in(completed) == capture_verdict::completed);
  CHECK(std::get<capture_answer>(completed.answer).response->body == "r");
  CHECK(completed.waits);
  for (int i = 0; i < 8; ++i) {
    CHECK(table.in_flight() == 1);
    table.complete(some_key);
  }
  CHECK(table.in_flight() == 0);
}

TEST_CASE_METHOD(capture_table_test,
                 "what is not durable is kept until the last answer that depends on it is settled") {
  put();
  post("r");
  put();
  // The store has none of it yet.
  for (int i = 0; i < 2; ++i) {
    table.complete(some_key);
    const auto next = put();
    CHECK(verdict_in(next) == capture_verdict::completed);
    table.complete(some_key);
  }
  CHECK(table.in_flight() == 1);
  table.complete(some_key);
  CHECK(table.in_flight() == 0);
  CHECK(verdict_in(put()) == capture_verdict::allocated);
}

TEST_CASE_METHOD(capture_table_test, "only the answer to an allocation of a completed key carries the response") {
  commit(put());
  CHECK(std::get<capture_answer>(put().answer).response == nullptr);
  const auto recorded = post("r");
  CHECK(std::get<capture_answer>(recorded.answer).response == nullptr);
  commit(recorded);
  CHECK(std::get<capture_answer>(post("s").answer).response == nullptr);
  CHECK(std::get<capture_answer>(give_up().answer).response == nullptr);
  CHECK(std::get<capture_answer>(put().answer).response != nullptr);
}

TEST_CASE_METHOD(capture_table_test, "the time counts for what is not durable too") {
  put();
  clock.advance(sample_terms.lease - milliseconds(1));
  CHECK(verdict_in(put()) == capture_verdict::in_flight);
  clock.advance(milliseconds(1));
  CHECK(verdict_in(put()) == capture_verdict::allocated);
  clock.advance(sample_terms.ttl);
  CHECK(verdict_in(post("r")) == capture_verdict::not_recordable);
}

TEST_CASE_METHOD(capture_table_test, "keys have nothing to do with each other") {
  put();
  CHECK(verdict_in(admit(allocation(other_key))) == capture_verdict::allocated);
  CHECK(table.in_flight() == 2);
  table.complete(other_key);
  CHECK(verdict_in(put()) == capture_verdict::in_flight);
  CHECK(verdict_in(admit(release(other_key))) == capture_verdict::unknown);
}

TEST_CASE_METHOD(capture_table_test,
                 "a key that the store can't be asked about is refused, and nothing is remembered") {
  committed.break_reads(true);
  const auto action = GENERATE(0, 1, 2);
  const auto given = action == 0 ? put() : action == 1 ? post("r") : give_up();
  CHECK(is_refused(given.answer, unavailability::storage_failed));
  CHECK_FALSE(given.waits);
  CHECK_FALSE(given.entry);
  CHECK(table.in_flight() == 0);
  committed.break_reads(false);
  CHECK(verdict_in(put()) == capture_verdict::allocated);
}

TEST_CASE_METHOD(capture_table_test, "what is not durable is decided about without the store") {
  put();
  committed.break_reads(true);
  CHECK(verdict_in(post("r")) == capture_verdict::recorded);
}

}  // namespace
}  // namespace ordem::actors
