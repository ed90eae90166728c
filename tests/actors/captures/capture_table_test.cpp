#include "actors/captures/capture_table.hpp"

#include <catch2/catch.hpp>

#include "tests/actors/support.hpp"
#include "tests/support_cpp/origins.hpp"

namespace ordem::actors {
namespace {

using namespace testing;

const capture_key other_key = key_of("other-key-AA");

struct capture_table_test {
  fake_store committed;
  manual_clock clock;
  capture_table table{committed, sample_terms};

  capture_table::admission admit(capture_request request) { return table.admit(std::move(request), clock.now()); }
  capture_table::admission allocate() { return admit(allocation(some_key)); }
  capture_table::admission record_body(std::string body) {
    return admit(record(some_key, response_of(std::move(body))));
  }
  capture_table::admission release_key() { return admit(release(some_key)); }

  // Makes the change durable and completes it.
  void commit(const capture_table::admission& decided) {
    write(*decided.entry);
    table.complete({"", some_key});
  }
  void write(const storage::entry& what) { committed.write(std::span(&what, 1)); }
};

capture_verdict verdict_in(const capture_table::admission& admitted) {
  return std::get<capture_answer>(admitted.answer).verdict;
}
const storage::capture_entry& entry_in(const capture_table::admission& admitted) {
  return std::get<storage::capture_entry>(admitted.entry.value());
}

TEST_CASE_METHOD(capture_table_test, "an allocation of an unknown key is a change, and its answer waits") {
  const auto admitted = allocate();
  CHECK(verdict_in(admitted) == capture_verdict::allocated);
  CHECK(std::get<capture_answer>(admitted.answer).key == some_key);
  CHECK(admitted.waits);
  CHECK(entry_in(admitted).key == some_key);
  CHECK(entry_in(admitted).at == clock.now());
  CHECK(*entry_in(admitted).after == *allocated_at(clock.now()));
  CHECK(table.in_flight() == 1);
}

TEST_CASE_METHOD(capture_table_test,
                 "an answer that depends on a change that is not durable waits too, and changes nothing") {
  allocate();
  const auto second = allocate();
  CHECK(verdict_in(second) == capture_verdict::in_flight);
  CHECK(second.waits);
  CHECK_FALSE(second.entry);
  CHECK(table.in_flight() == 1);
}

TEST_CASE_METHOD(capture_table_test, "an answer that depends on durable changes only does not wait") {
  commit(allocate());
  CHECK(table.in_flight() == 0);
  const auto second = allocate();
  CHECK(verdict_in(second) == capture_verdict::in_flight);
  CHECK_FALSE(second.waits);
  CHECK_FALSE(second.entry);

  commit(record_body("r"));
  const auto third = allocate();
  CHECK(verdict_in(third) == capture_verdict::completed);
  CHECK(std::get<capture_answer>(third.answer).response->body == "r");
  CHECK_FALSE(third.waits);
  const auto late = record_body("s");
  CHECK(verdict_in(late) == capture_verdict::not_recordable);
  CHECK_FALSE(late.waits);
  CHECK(verdict_in(release_key()) == capture_verdict::not_releasable);
  CHECK(table.in_flight() == 0);
}

TEST_CASE_METHOD(capture_table_test, "an answer about a key that is not allocated does not wait") {
  const auto recorded = record_body("r");
  CHECK(verdict_in(recorded) == capture_verdict::not_recordable);
  const auto released = release_key();
  CHECK(verdict_in(released) == capture_verdict::unknown);
  for (const auto* each : {&recorded, &released}) {
    CHECK_FALSE(each->waits);
    CHECK_FALSE(each->entry);
  }
  CHECK(table.in_flight() == 0);
}

TEST_CASE_METHOD(capture_table_test, "a key can change its state several times before any change is durable") {
  CHECK(verdict_in(allocate()) == capture_verdict::allocated);
  const auto released = release_key();
  CHECK(verdict_in(released) == capture_verdict::released);
  CHECK(entry_in(released).after == nullptr);
  CHECK(verdict_in(release_key()) == capture_verdict::unknown);
  CHECK(verdict_in(record_body("too late")) == capture_verdict::not_recordable);
  CHECK(verdict_in(allocate()) == capture_verdict::allocated);
  const auto recorded = record_body("r");
  CHECK(verdict_in(recorded) == capture_verdict::recorded);
  CHECK(entry_in(recorded).after->response->body == "r");
  CHECK(verdict_in(record_body("s")) == capture_verdict::not_recordable);
  const auto completed = allocate();
  CHECK(verdict_in(completed) == capture_verdict::completed);
  CHECK(std::get<capture_answer>(completed.answer).response->body == "r");
  CHECK(completed.waits);
  for (int i = 0; i < 8; ++i) {
    CHECK(table.in_flight() == 1);
    table.complete({"", some_key});
  }
  CHECK(table.in_flight() == 0);
}

TEST_CASE_METHOD(capture_table_test,
                 "a change that is not durable is kept until the last answer that depends on it is complete") {
  allocate();
  record_body("r");
  allocate();
  // The store has none of it yet.
  for (int i = 0; i < 2; ++i) {
    table.complete({"", some_key});
    const auto next = allocate();
    CHECK(verdict_in(next) == capture_verdict::completed);
    table.complete({"", some_key});
  }
  CHECK(table.in_flight() == 1);
  table.complete({"", some_key});
  CHECK(table.in_flight() == 0);
  CHECK(verdict_in(allocate()) == capture_verdict::allocated);
}

TEST_CASE_METHOD(capture_table_test, "only the answer to an allocation of a completed key carries the response") {
  commit(allocate());
  CHECK(std::get<capture_answer>(allocate().answer).response == nullptr);
  const auto recorded = record_body("r");
  CHECK(std::get<capture_answer>(recorded.answer).response == nullptr);
  commit(recorded);
  CHECK(std::get<capture_answer>(record_body("s").answer).response == nullptr);
  CHECK(std::get<capture_answer>(release_key().answer).response == nullptr);
  CHECK(std::get<capture_answer>(allocate().answer).response != nullptr);
}

TEST_CASE_METHOD(capture_table_test, "a lease that is not durable expires too") {
  allocate();
  clock.advance(sample_terms.lease - milliseconds(1));
  CHECK(verdict_in(allocate()) == capture_verdict::in_flight);
  clock.advance(milliseconds(1));
  CHECK(verdict_in(allocate()) == capture_verdict::allocated);
  clock.advance(sample_terms.ttl);
  CHECK(verdict_in(record_body("r")) == capture_verdict::not_recordable);
}

TEST_CASE_METHOD(capture_table_test, "keys are independent of each other") {
  allocate();
  CHECK(verdict_in(admit(allocation(other_key))) == capture_verdict::allocated);
  CHECK(table.in_flight() == 2);
  table.complete({"", other_key});
  CHECK(verdict_in(allocate()) == capture_verdict::in_flight);
  CHECK(verdict_in(admit(release(other_key))) == capture_verdict::unknown);
}

TEST_CASE_METHOD(capture_table_test, "a key that can't be read from the store is refused, and nothing is kept") {
  committed.break_reads(true);
  const auto action = GENERATE(0, 1, 2);
  const auto admitted = action == 0 ? allocate() : action == 1 ? record_body("r") : release_key();
  CHECK(is_refused(admitted.answer, unavailability::storage_failed));
  CHECK_FALSE(admitted.waits);
  CHECK_FALSE(admitted.entry);
  CHECK(table.in_flight() == 0);
  committed.break_reads(false);
  CHECK(verdict_in(allocate()) == capture_verdict::allocated);
}

TEST_CASE_METHOD(capture_table_test, "a call after a change that is not durable is decided without the store") {
  allocate();
  committed.break_reads(true);
  CHECK(verdict_in(record_body("r")) == capture_verdict::recorded);
}

TEST_CASE_METHOD(capture_table_test, "a key is allocated in each tenant, durable or not") {
  const bool is_durable = GENERATE(false, true);
  for (const origin& who : {anonymous, shop_till, stall_till}) {
    const auto admitted = admit(sent_by(who, allocation(some_key)));
    CHECK(verdict_in(admitted) == capture_verdict::allocated);
    CHECK(entry_in(admitted).tenant() == who.tenant);
    CHECK(entry_in(admitted).after->origin == who);
    if (!is_durable) continue;
    write(*admitted.entry);
    table.complete({who.tenant, some_key});
  }
  CHECK(table.in_flight() == (is_durable ? 0 : 3));
  const auto released = admit(sent_by(shop_till, release(some_key)));
  CHECK(verdict_in(released) == capture_verdict::released);
  CHECK(entry_in(released).tenant() == "shop");
  if (is_durable) {
    write(*released.entry);
    table.complete({"shop", some_key});
  }
  CHECK(verdict_in(admit(sent_by(shop_till, release(some_key)))) == capture_verdict::unknown);
  CHECK(verdict_in(admit(sent_by(stall_till, record(some_key, response_of("r"))))) == capture_verdict::recorded);
  CHECK(verdict_in(allocate()) == capture_verdict::in_flight);
}

}  // namespace
}  // namespace ordem::actors
