#include "actors/execution.hpp"

#include <catch2/catch.hpp>

#include "tests/actors/support.hpp"

namespace ordem::actors {
namespace {

using namespace testing;

const order_id fresh_id = order_id_of(77);
const timestamp now = sample_time + milliseconds(5000);
constexpr milliseconds ttl = std::chrono::hours(1);

execution run(message request, shared_order current) {
  return execute_task({{2, 9}, 5, std::move(request)}, std::move(current), fresh_id, now, ttl);
}

const storage::message_entry& entry_in(const execution& done) {
  return std::get<storage::message_entry>(done.decided.entry.value());
}

merge_content some_patch() {
  merge_content patch;
  patch.customer_id = "c-2002";
  return patch;
}

void check_completion(const execution& done, std::optional<order_id> target) {
  const completion& completed = done.decided.completion;
  CHECK(completed.token.queue == 2);
  CHECK(completed.token.number == 9);
  CHECK(completed.shard == 5);
  CHECK(std::get<message_key>(completed.subject) == message_key{"", some_guid});
  CHECK(completed.target == target);
}

TEST_CASE("a creation makes an order under the fresh id") {
  const auto done = run(creation(some_guid), nullptr);
  check_completion(done, std::nullopt);
  REQUIRE(done.current);
  CHECK(done.current->id == fresh_id);
  CHECK(done.current->version == version{1});
  CHECK(done.current->created_at == now);

  REQUIRE(done.decided.entry);
  CHECK(entry_in(done).guid == some_guid);
  CHECK(entry_in(done).before == nullptr);
  CHECK(entry_in(done).after == done.current);
}

TEST_CASE("an accepted change makes the next version of the current order") {
  const shared_order before = shared(sample_order());
  const auto done = run(replacement(some_guid, before->id, {1}, content_of("c-2002")), before);
  check_completion(done, before->id);
  REQUIRE(done.decided.entry);
  CHECK(entry_in(done).before == before);
  CHECK(entry_in(done).after == done.current);
  CHECK(done.current->version == version{2});
  CHECK(done.current->content.customer_id == "c-2002");
  CHECK(*before == sample_order());
}

TEST_CASE("the record and the answer of an accepted message agree") {
  const shared_order before = shared(sample_order());
  const auto done = run(replacement(some_guid, before->id, {1}, content_of("c-2002"), 42), before);
  const message_record& record = entry_in(done).record;
  CHECK(record.fingerprint == fingerprint{42, 0});
  CHECK(record.created_at == now);
  CHECK(record.expires_at == now + ttl);
  CHECK(record.outcome.verdict == verdict::content_changed);
  CHECK(record.outcome.order == before->id);
  CHECK(record.outcome.version == version{2});

  const executed& result = executed_in(done.decided.completion.answer);
  CHECK(result.outcome == record.outcome);
  CHECK(result.order == done.current);
  CHECK(result.expires_at == record.expires_at);
  CHECK_FALSE(result.replayed);
}

TEST_CASE("a rejection is recorded and does not change the order") {
  const shared_order before = shared(sample_order(1, {3}));
  const auto done = run(replacement(some_guid, before->id, {2}), before);
  check_completion(done, before->id);
  CHECK(done.current == before);
  REQUIRE(done.decided.entry);
  CHECK(entry_in(done).before == nullptr);
  CHECK(entry_in(done).after == nullptr);
  CHECK(entry_in(done).record.outcome.verdict == verdict::stale_version);

  const executed& result = executed_in(done.decided.completion.answer);
  CHECK(result.outcome == entry_in(done).record.outcome);
  CHECK(result.order == nullptr);
  CHECK(result.expires_at == now + ttl);
}

TEST_CASE("a refusal is not recorded") {
  const shared_order before = shared(sample_order());
  order_content without_items = content_of();
  without_items.items.clear();

  const auto missing = run(replacement(some_guid, order_id_of(1), {1}), nullptr);
  check_completion(missing, order_id_of(1));
  CHECK(is_refused<order_not_found>(missing.decided.completion.answer));
  CHECK_FALSE(missing.decided.entry);
  CHECK(missing.current == nullptr);

  const auto invalid = run(replacement(some_guid, before->id, {1}, without_items), before);
  check_completion(invalid, before->id);
  CHECK(is_refused<invalid_content>(invalid.decided.completion.answer));
  CHECK_FALSE(invalid.decided.entry);
  CHECK(invalid.current == before);
}

TEST_CASE("a command that can be derived from the order's versions is not kept") {
  const shared_order before = shared(sample_order());
  CHECK_FALSE(entry_in(run(creation(some_guid), nullptr)).record.command);
  CHECK_FALSE(entry_in(run(replacement(some_guid, before->id, {1}), before)).record.command);
  CHECK_FALSE(entry_in(run(status_move(some_guid, before->id, {1}, order_status::confirmed), before)).record.command);
}

TEST_CASE("a merge patch is kept, since it can't be derived from the order's versions") {
  const shared_order before = shared(sample_order());
  const auto done = run(patch(some_guid, before->id, {1}, some_patch()), before);
  CHECK(entry_in(done).record.command == command{some_patch()});
  CHECK(done.current->content.customer_id == "c-2002");
}

TEST_CASE("a rejected command is always kept") {
  order late = sample_order(1, {4});
  late.status = order_status::shipped;
  const shared_order current = shared(late);
  const auto request = GENERATE_COPY(values<message>({
      replacement(some_guid, late.id, {3}),
      replacement(some_guid, late.id, {4}),
      patch(some_guid, late.id, {3}, some_patch()),
      patch(some_guid, late.id, {4}, some_patch()),
      status_move(some_guid, late.id, {3}, order_status::delivered),
      status_move(some_guid, late.id, {4}, order_status::cancelled),
  }));
  const auto done = run(request, current);
  REQUIRE(done.decided.entry);
  CHECK_FALSE(is_accepted(entry_in(done).record.outcome.verdict));
  CHECK(entry_in(done).record.command == request.command);
}

TEST_CASE("a failed group answers read_only, and its refusals stay as they are") {
  std::vector<completion> group = {
      run(creation(some_guid), nullptr).decided.completion,
      run(replacement(some_guid, order_id_of(1), {1}), nullptr).decided.completion,
      run(replacement(some_guid, order_id_of(1), {7}), shared(sample_order())).decided.completion,
  };
  fail_all(group);
  CHECK(is_refused(group[0].answer, unavailability::read_only));
  CHECK(is_refused<order_not_found>(group[1].answer));
  CHECK(is_refused(group[2].answer, unavailability::read_only));
}

}  // namespace
}  // namespace ordem::actors
