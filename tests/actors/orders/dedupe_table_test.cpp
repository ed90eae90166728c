#include "actors/orders/dedupe_table.hpp"

#include <catch2/catch.hpp>

#include "tests/actors/support.hpp"
#include "tests/support_cpp/origins.hpp"

namespace ordem::actors {
namespace {

using namespace testing;

struct dedupe_table_test {
  fake_store committed;
  dedupe_table table{committed, in_flight_policy::join};

  dedupe_table::admission admit(std::uint32_t token_number, std::uint64_t asks = 1, timestamp now = sample_time) {
    return table.admit({0, token_number}, creation(some_guid, content_of(), asks), now);
  }

  std::vector<reply> complete(const answer& result) {
    std::vector<reply> replies;
    table.complete({{0, 1}, 0, message_key{"", some_guid}, std::nullopt, result}, replies);
    return replies;
  }

  // Records the message as executed.
  void commit(verdict what, std::uint64_t asks = 1) {
    storage::message_entry done{
        some_guid, {{asks, 0}, {}, sample_time, sample_time + milliseconds(1000), std::nullopt}, nullptr, nullptr};
    done.record.outcome.verdict = what;
    if (is_accepted(what)) done.after = shared(sample_order());
    done.record.outcome.order = order_id_of(1);
    done.record.outcome.version = {1};
    committed.write(std::vector<storage::entry>{done});
  }
};

bool proceeds(const dedupe_table::admission& admitted) {
  return std::holds_alternative<dedupe_table::proceed>(admitted);
}
bool joins(const dedupe_table::admission& admitted) {
  return std::holds_alternative<dedupe_table::joined>(admitted);
}

executed some_success() {
  executed done;
  done.order = shared(sample_order());
  done.outcome.order = done.order->id;
  done.outcome.version = {1};
  return done;
}

TEST_CASE_METHOD(dedupe_table_test, "a new message proceeds and is in flight") {
  CHECK(proceeds(admit(1)));
  CHECK(table.in_flight() == 1);
}

TEST_CASE_METHOD(dedupe_table_test, "a complete message is no longer in flight") {
  admit(1);
  CHECK(complete(some_success()).empty());
  CHECK(table.in_flight() == 0);
}

TEST_CASE_METHOD(dedupe_table_test, "a repeat while the first is in flight joins it and gets its answer as a replay") {
  admit(1);
  CHECK(joins(admit(2)));
  CHECK(joins(admit(3)));
  CHECK(table.in_flight() == 1);

  const auto replies = complete(some_success());
  REQUIRE(replies.size() == 2);
  CHECK(replies[0].token.number == 2);
  CHECK(replies[1].token.number == 3);
  for (const reply& each : replies) {
    CHECK(executed_in(each.answer).replayed);
    CHECK(executed_in(each.answer).order->id == order_id_of(1));
  }
}

TEST_CASE_METHOD(dedupe_table_test, "messages that joined a refused one are refused too") {
  admit(1);
  admit(2);
  const auto replies = complete(refusal{unavailability::read_only});
  REQUIRE(replies.size() == 1);
  CHECK(is_refused(replies[0].answer, unavailability::read_only));
}

TEST_CASE_METHOD(dedupe_table_test, "after a refusal the same GUID is new again") {
  admit(1);
  complete(refusal{order_not_found{}});
  CHECK(proceeds(admit(2)));
}

TEST_CASE_METHOD(dedupe_table_test, "with policy conflict a repeat in flight is refused") {
  dedupe_table strict(committed, in_flight_policy::conflict);
  const message request = creation(some_guid);
  REQUIRE(proceeds(strict.admit({0, 1}, request, sample_time)));
  CHECK(is_refused<request_in_flight>(std::get<answer>(strict.admit({0, 2}, request, sample_time))));

  std::vector<reply> replies;
  strict.complete({{0, 1}, 0, message_key{"", some_guid}, std::nullopt, some_success()}, replies);
  CHECK(replies.empty());
}

TEST_CASE_METHOD(dedupe_table_test, "another request with a GUID in flight is refused as reused") {
  admit(1);
  CHECK(is_refused<guid_reused>(std::get<answer>(admit(2, 999))));
  CHECK(complete(some_success()).empty());
}

TEST_CASE_METHOD(dedupe_table_test, "reuse takes precedence over conflict") {
  dedupe_table strict(committed, in_flight_policy::conflict);
  strict.admit({0, 1}, creation(some_guid), sample_time);
  const auto second = strict.admit({0, 2}, creation(some_guid, content_of(), 999), sample_time);
  CHECK(is_refused<guid_reused>(std::get<answer>(second)));
}

TEST_CASE_METHOD(dedupe_table_test, "a repeat of a success gets the recorded outcome with the order at that version") {
  commit(verdict::order_created);
  const auto known = std::get<answer>(admit(1));
  CHECK(executed_in(known).replayed);
  CHECK(has_verdict(known, verdict::order_created));
  CHECK(*executed_in(known).order == sample_order());
  CHECK(executed_in(known).expires_at == sample_time + milliseconds(1000));
  CHECK(table.in_flight() == 0);
}

TEST_CASE_METHOD(dedupe_table_test, "a repeat of a rejection gets the recorded rejection") {
  commit(verdict::stale_version);
  const auto known = std::get<answer>(admit(1));
  CHECK(executed_in(known).replayed);
  CHECK(has_verdict(known, verdict::stale_version));
  CHECK(executed_in(known).order == nullptr);
}

TEST_CASE_METHOD(dedupe_table_test, "another request with a recorded GUID is refused as reused") {
  commit(verdict::order_created);
  CHECK(is_refused<guid_reused>(std::get<answer>(admit(1, 999))));
}

TEST_CASE_METHOD(dedupe_table_test, "an expired GUID is new again, for another request too") {
  commit(verdict::order_created);
  const timestamp expiry = sample_time + milliseconds(1000);
  CHECK(std::holds_alternative<answer>(admit(1, 1, expiry - milliseconds(1))));
  CHECK(proceeds(admit(2, 999, expiry)));
}

TEST_CASE_METHOD(dedupe_table_test, "a message whose GUID can't be looked up does not proceed") {
  committed.break_reads(true);
  CHECK(is_refused(std::get<answer>(admit(1)), unavailability::storage_failed));
  CHECK(table.in_flight() == 0);
  committed.break_reads(false);
  CHECK(proceeds(admit(2)));
}

TEST_CASE_METHOD(dedupe_table_test, "GUIDs are independent of each other") {
  admit(1);
  CHECK(proceeds(table.admit({0, 2}, creation(guid_of("k-2")), sample_time)));
  CHECK(table.in_flight() == 2);
  CHECK(complete(some_success()).empty());
  CHECK(table.in_flight() == 1);
}

TEST_CASE_METHOD(dedupe_table_test, "a GUID in flight of one tenant is new to another") {
  const auto sent = [&](const origin& who, std::uint32_t token) {
    return table.admit({0, token}, sent_by(who, creation(some_guid)), sample_time);
  };
  CHECK(proceeds(admit(1)));
  CHECK(proceeds(sent(shop_till, 2)));
  CHECK(proceeds(sent(stall_till, 3)));
  CHECK(table.in_flight() == 3);
  CHECK(joins(sent(shop_office, 4)));  // of the tenant that has it in flight

  std::vector<reply> replies;
  table.complete({{0, 2}, 0, message_key{"shop", some_guid}, std::nullopt, some_success()}, replies);
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].token.number == 4);
  CHECK(table.in_flight() == 2);
  CHECK(proceeds(sent(shop_till, 5)));
  CHECK(joins(sent(stall_till, 6)));
}

TEST_CASE_METHOD(dedupe_table_test, "a recorded GUID of one tenant is new to another") {
  commit(verdict::order_created);
  CHECK(proceeds(table.admit({0, 1}, sent_by(shop_till, creation(some_guid, content_of(), 999)), sample_time)));
  CHECK(std::holds_alternative<answer>(admit(2)));
}

}  // namespace
}  // namespace ordem::actors
