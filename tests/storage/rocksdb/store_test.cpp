#include "storage/log/store.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "tests/storage/open_store_support.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::storage {
namespace {

using namespace testing;

// --- writing ---

TEST_CASE_METHOD(testing::open_store, "a new store is empty") {
  CHECK(store->last() == position{0});
  CHECK(store->find_order(order_id_of(1)).value() == nullptr);
  CHECK(store->find_version(order_id_of(1), {1}).value() == nullptr);
  CHECK(store->find_message(guid_of("k-1"), sample_time).value() == std::nullopt);
  CHECK(list_orders(*store, "c-1001", {}, 10).empty());
  CHECK(list_versions(*store, order_id_of(1), {}, 10).empty());
  CHECK(replayed().empty());
}

TEST_CASE_METHOD(testing::open_store, "an entry makes an order, a message and a position in the log") {
  const message_entry created = create_entry(1);
  write({created});
  CHECK(*store->find_order(order_id_of(1)).value() == *created.after);
  CHECK(store->find_message(created.guid, sample_time).value() == created.record);
  CHECK(ids_in(list_orders(*store, "c-1001", {}, 10)) == std::vector{order_id_of(1)});
  const auto all = replayed();
  REQUIRE(all.size() == 1);
  CHECK(all[0].position == position{1});
  CHECK(all[0].message()->guid == created.guid);
  CHECK(all[0].message()->record == created.record);
  CHECK(*all[0].message()->after == *created.after);
}

TEST_CASE_METHOD(testing::open_store, "a rejection makes a message and a position in the log, and no order") {
  write(life_of(1, 2));
  const shared_order current = store->find_order(order_id_of(1)).value();
  const message_entry rejected = entry_of(replacement(guid_of("late"), current->id, {1}), current, {});
  write({rejected});
  CHECK(*store->find_order(current->id).value() == *current);
  CHECK(store->find_message(rejected.guid, sample_time).value() == rejected.record);
  const auto all = replayed();
  REQUIRE(all.size() == 3);
  CHECK(all[2].message()->record.outcome.verdict == verdict::stale_version);
  CHECK(all[2].message()->after == nullptr);
}

TEST_CASE_METHOD(testing::open_store, "an appended group is not visible before its sync") {
  write({create_entry(1)});
  const shared_order before = store->find_order(order_id_of(1)).value();
  const message_entry changed = change_entry(before, content_of("c-2002"));
  REQUIRE(store->append(group_of({changed, create_entry(2)})) == position{3});

  CHECK(store->last() == position{1});
  CHECK(store->find_order(order_id_of(1)).value()->version == version{1});
  CHECK(store->find_version(order_id_of(1), {2}).value() == nullptr);
  CHECK(store->find_order(order_id_of(2)).value() == nullptr);
  CHECK(store->find_message(changed.guid, sample_time).value() == std::nullopt);
  CHECK(versions_in(list_versions(*store, order_id_of(1), {}, 10)) == std::vector<std::uint64_t>{1});
  CHECK(ids_in(list_orders(*store, "c-1001", {}, 10)) == std::vector{order_id_of(1)});
  CHECK(list_orders(*store, "c-2002", {}, 10).empty());
  CHECK(replayed().size() == 1);

  REQUIRE(store->sync() == position{3});
  CHECK(store->last() == position{3});
  CHECK(store->find_order(order_id_of(1)).value()->version == version{2});
  CHECK(store->find_order(order_id_of(2)).value() != nullptr);
  CHECK(ids_in(list_orders(*store, "c-2002", {}, 10)) == std::vector{order_id_of(1)});
  CHECK(replayed().size() == 3);
}

TEST_CASE_METHOD(testing::open_store, "one sync makes all groups visible that were appended before it") {
  for (std::uint64_t i = 1; i <= 5; ++i) REQUIRE(store->append(group_of({create_entry(i)})) == position{i});
  REQUIRE(store->sync() == position{5});
  CHECK(replayed().size() == 5);
}

TEST_CASE_METHOD(testing::open_store, "a sync without new entries and an empty group change nothing") {
  write({create_entry(1)});
  CHECK(store->sync() == position{1});
  CHECK(store->append({}) == position{1});
  CHECK(store->last() == position{1});
}

TEST_CASE_METHOD(testing::open_store, "positions have no gap, whatever the size of the groups") {
  std::uint64_t number = 0;
  for (const std::size_t size : {1U, 2U, 7U, 1U, 300U, 1U}) {
    std::vector<message_entry> group;
    while (group.size() < size) group.push_back(create_entry(++number));
    write(group);
    CHECK(store->last() == position{number});
  }
  reopen();
  write({create_entry(++number)});
  const auto all = replayed();
  REQUIRE(all.size() == number);
  for (std::uint64_t i = 0; i < number; ++i) {
    REQUIRE(all[i].position == position{i + 1});
    REQUIRE(all[i].message()->record.outcome.order == order_id_of(i + 1));
  }
}

TEST_CASE_METHOD(testing::open_store, "a group may be as large as the bound") {
  std::vector<message_entry> group;
  while (group.size() < group_entries_max) group.push_back(create_entry(group.size() + 1));
  write(group);
  reopen();
  CHECK(store->last() == position{group_entries_max});
  CHECK(replayed().size() == group_entries_max);
}

TEST_CASE("both levels of durability keep synced entries when the process ends") {
  temp_folder folder;
  manual_clock clock;
  auto settings = settings_for(folder.path());
  settings.durability = GENERATE(durability::fsync, durability::os);
  {
    const auto store = opened(settings, clock);
    REQUIRE(store->append(group_of(life_of(1, 3))));
    REQUIRE(store->sync());
    if (GENERATE(true, false)) store->close();
  }
  const auto store = opened(settings, clock);
  CHECK(store->last() == position{3});
  CHECK(*store->find_order(order_id_of(1)).value() == *life_of(1, 3).back().after);
}

// --- reading ---

TEST_CASE_METHOD(testing::open_store, "every version of an order is found, and no other") {
  const auto life = life_of(1, 4);
  write(life);
  for (const message_entry& each : life)
    CHECK(*store->find_version(order_id_of(1), each.after->version).value() == *each.after);
  CHECK(store->find_version(order_id_of(1), {5}).value() == nullptr);
  CHECK(store->find_version(order_id_of(1), {0}).value() == nullptr);
  CHECK(store->find_version(order_id_of(2), {1}).value() == nullptr);
}

TEST_CASE_METHOD(testing::open_store, "versions are listed newest first, a page at a time") {
  using numbers = std::vector<std::uint64_t>;
  write(life_of(1, 1));
  write(life_of(2, 5));
  write(life_of(3, 1));
  const auto [before, limit, expected] = GENERATE(table<std::optional<version>, std::size_t, numbers>({
      {std::nullopt, 100, {5, 4, 3, 2, 1}},
      {std::nullopt, 2, {5, 4}},
      {std::nullopt, 1, {5}},
      {std::nullopt, 0, {}},
      {version{6}, 100, {5, 4, 3, 2, 1}},
      {version{1000}, 1, {5}},
      {version{5}, 2, {4, 3}},
      {version{4}, 2, {3, 2}},
      {version{2}, 2, {1}},
      {version{1}, 2, {}},
      {version{0}, 2, {}},
  }));
  CHECK(versions_in(list_versions(*store, order_id_of(2), before, limit)) == expected);
}

TEST_CASE_METHOD(testing::open_store, "an order with one version lists it") {
  write(life_of(1, 1));
  CHECK(versions_in(list_versions(*store, order_id_of(1), {}, 10)) == std::vector<std::uint64_t>{1});
  CHECK(list_versions(*store, order_id_of(1), version{1}, 10).empty());
}

TEST_CASE_METHOD(testing::open_store, "a customer's orders are listed newest first, each once over all pages") {
  std::vector<order_id> expected;
  for (std::uint64_t i = 1; i <= 25; ++i) {
    write({create_entry(2 * i, content_of("c-1")), create_entry(2 * i + 1, content_of("c-10"))});
    expected.insert(expected.begin(), order_id_of(2 * i));
  }
  const std::size_t limit = GENERATE(1U, 7U, 25U, 100U);
  std::vector<order_id> seen;
  std::optional<order_id> after;
  for (;;) {
    const auto page = ids_in(list_orders(*store, "c-1", after, limit));
    CHECK(page.size() <= limit);
    if (page.empty()) break;
    seen.insert(seen.end(), page.begin(), page.end());
    after = page.back();
  }
  CHECK(seen == expected);
}

TEST_CASE_METHOD(testing::open_store, "a list continues after an order that has moved to another customer") {
  for (std::uint64_t i = 1; i <= 4; ++i) write({create_entry(i)});
  write({change_entry(store->find_order(order_id_of(3)).value(), content_of("c-2002"))});
  CHECK(ids_in(list_orders(*store, "c-1001", order_id_of(3), 10)) == std::vector{order_id_of(2), order_id_of(1)});
}

TEST_CASE_METHOD(testing::open_store, "lists of customers whose ids have a common prefix are separate") {
  write({create_entry(1, content_of("c")), create_entry(2, content_of("c-1")), create_entry(3, content_of("c-1 "))});
  CHECK(ids_in(list_orders(*store, "c", {}, 10)) == std::vector{order_id_of(1)});
  CHECK(ids_in(list_orders(*store, "c-1", {}, 10)) == std::vector{order_id_of(2)});
  CHECK(list_orders(*store, "", {}, 10).empty());
  CHECK(list_orders(*store, std::string(300, '\xFF'), {}, 10).empty());
}

TEST_CASE_METHOD(testing::open_store,
                 "an update moves an order to another customer's list, and another update moves it back") {
  write({create_entry(1)});
  write({change_entry(store->find_order(order_id_of(1)).value(), content_of("c-2002"))});
  CHECK(list_orders(*store, "c-1001", {}, 10).empty());
  CHECK(ids_in(list_orders(*store, "c-2002", {}, 10)) == std::vector{order_id_of(1)});
  write({change_entry(store->find_order(order_id_of(1)).value(), content_of("c-1001"))});
  CHECK(ids_in(list_orders(*store, "c-1001", {}, 10)) == std::vector{order_id_of(1)});
  CHECK(list_orders(*store, "c-2002", {}, 10).empty());
}

TEST_CASE_METHOD(testing::open_store, "an order that moves twice in one group is in the last customer's list only") {
  write({create_entry(1)});
  const message_entry moved = change_entry(store->find_order(order_id_of(1)).value(), content_of("c-2002"));
  write({moved, change_entry(moved.after, content_of("c-3003"))});
  CHECK(list_orders(*store, "c-1001", {}, 10).empty());
  CHECK(list_orders(*store, "c-2002", {}, 10).empty());
  CHECK(ids_in(list_orders(*store, "c-3003", {}, 10)) == std::vector{order_id_of(1)});
}

TEST_CASE_METHOD(testing::open_store,
                 "an order that is created and moved in one group is in the last customer's list only") {
  const message_entry created = create_entry(1);
  write({created, change_entry(created.after, content_of("c-2002"))});
  CHECK(list_orders(*store, "c-1001", {}, 10).empty());
  CHECK(ids_in(list_orders(*store, "c-2002", {}, 10)) == std::vector{order_id_of(1)});
}

TEST_CASE_METHOD(testing::open_store, "a message is found until it expires") {
  const message_entry created = create_entry(1);
  write({created});
  const timestamp expiry = created.record.expires_at;
  CHECK(store->find_message(created.guid, expiry - milliseconds(1)).value().has_value());
  CHECK_FALSE(store->find_message(created.guid, expiry).value().has_value());
  // Its order does not expire.
  clock.advance(sample_ttl * 2);
  reopen();
  CHECK_FALSE(store->find_message(created.guid, clock.now()).value().has_value());
  CHECK(store->find_order(order_id_of(1)).value() != nullptr);
}

TEST_CASE_METHOD(testing::open_store, "a GUID that is used again after its expiry finds the later message") {
  write({create_entry(1)});
  const timestamp later = sample_time + 2 * sample_ttl;
  const message_entry again = entry_of(creation(guid_of("create-1")), nullptr, order_id_of(2), later);
  write({again});
  CHECK(store->find_message(again.guid, later).value() == again.record);
  CHECK(store->find_order(order_id_of(1)).value() != nullptr);
}

TEST_CASE_METHOD(testing::open_store, "the statistics count what was written") {
  write(life_of(1, 3));
  write(life_of(2, 1));
  CHECK(store->stats().estimated_messages == 4);
  CHECK(store->stats().memtable_bytes > 0);
  store->close();
  CHECK(store->stats().table_file_bytes > 0);
}

// --- the log ---

// Random histories of some orders, from messages that were decided.
std::vector<message_entry> random_history(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  std::vector<shared_order> orders;
  std::vector<message_entry> all;
  while (all.size() < count) {
    const guid id = guid_of(all.size());
    const std::string customer = "c-" + std::to_string(random() % 5);
    if (orders.empty() || random() % 4 == 0) {
      all.push_back(entry_of(creation(id, content_of(customer)), nullptr, order_id_of(orders.size())));
      orders.push_back(all.back().after);
      continue;
    }
    shared_order& current = orders[random() % orders.size()];
    const version expected_version = random() % 5 == 0 ? version{current->version.number + 1} : current->version;
    const auto status = static_cast<order_status>(1 + random() % 5);
    merge_content new_customer;
    new_customer.customer_id = customer;
    const message change = random() % 3 == 0   ? status_move(id, current->id, expected_version, status)
                           : random() % 2 == 0 ? patch(id, current->id, expected_version, new_customer)
                                               : replacement(id, current->id, expected_version, content_of(customer));
    all.push_back(entry_of(change, current, {}));
    if (all.back().after != nullptr) current = all.back().after;
  }
  return all;
}

TEST_CASE_METHOD(testing::open_store,
                 "a replay from any position gives what was written from there on, and folds to the orders") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  const auto history = random_history(seed, 400);
  std::mt19937_64 random(seed);
  for (std::size_t from = 0; from < history.size();) {
    const std::size_t size = std::min<std::size_t>(1 + random() % 40, history.size() - from);
    write({history.begin() + static_cast<std::ptrdiff_t>(from),
           history.begin() + static_cast<std::ptrdiff_t>(from + size)});
    from += size;
  }
  if (random() % 2 == 0) reopen();

  std::map<order_id, shared_order> folded;
  for (const logged_entry& logged : replayed()) {
    const message_entry& each = *logged.message();
    if (each.after == nullptr) continue;
    shared_order& current = folded[each.record.outcome.order];
    current = shared(apply(current.get(), event_of(each.record.outcome.verdict, *each.after)));
    REQUIRE(*current == *each.after);
  }
  for (const auto& [id, state] : folded) REQUIRE(*store->find_order(id).value() == *state);

  for (int i = 0; i < 30; ++i) {
    const std::size_t from = random() % history.size();
    const auto part = replayed({from + 1});
    REQUIRE(part.size() == history.size() - from);
    for (std::size_t j = 0; j < part.size(); ++j) {
      REQUIRE(part[j].position == position{from + j + 1});
      REQUIRE(part[j].message()->guid == history[from + j].guid);
      REQUIRE(part[j].message()->record == history[from + j].record);
    }
  }
  CHECK(replayed({history.size() + 1}).empty());

  // The lists of customers hold the same orders.
  for (int i = 0; i < 5; ++i) {
    const std::string customer = "c-" + std::to_string(i);
    std::vector<order_id> expected;
    for (const auto& [id, state] : folded) {
      if (state->content.customer_id == customer) expected.insert(expected.begin(), id);
    }
    CHECK(ids_in(list_orders(*store, customer, {}, 1000)) == expected);
  }
}

TEST_CASE_METHOD(testing::open_store, "the log read from before its first position returns everything") {
  write(life_of(1, 3));
  CHECK(replayed({0}).size() == 3);
}

TEST_CASE_METHOD(testing::open_store,
                 "the log read from a position that was trimmed says so, and what is to be kept stays") {
  settings.durability = durability::os;
  settings.log_entries_kept = 1000;
  reopen();
  write({create_entry(1)});
  const shared_order current = store->find_order(order_id_of(1)).value();
  const message_entry rejected =
      entry_of(replacement(guid_of("x"), current->id, {7}, content_of(std::string(400, 'c'))), current, {});

  // The view's thread lets the log be trimmed: write until it has.
  const auto is_trimmed = [this](position from) {
    const auto result = store->read_log(from, 1);
    return !result && result.error() == log_read_error::trimmed;
  };
  std::uint64_t number = 0;
  for (int group = 0; group < 200 && !is_trimmed({1}); ++group) {
    std::vector<message_entry> entries;
    while (entries.size() < group_entries_max) {
      entries.push_back(rejected);
      entries.back().guid = guid_of(number++);
    }
    write(entries);
  }
  REQUIRE(is_trimmed({1}));
  store->close();  // so that it is not trimmed further
  const position first = store->first();
  CHECK(is_trimmed({first.number - 1}));
  const std::uint64_t last = store->last().number;
  CHECK(replayed(first).size() == last - first.number + 1);
  CHECK(replayed({last - 999}).size() == 1000);
  CHECK(replayed({last}).size() == 1);
  reopen();
  CHECK(store->last() == position{last});
  CHECK(replayed({last - 999}).size() == 1000);
}

TEST_CASE_METHOD(testing::open_store, "a log that is consumed keeps what has not been confirmed") {
  settings.durability = durability::os;
  settings.log_entries_kept = 1;
  settings.log_is_consumed = true;
  reopen();
  write({create_entry(1)});
  const shared_order current = store->find_order(order_id_of(1)).value();
  const message_entry rejected =
      entry_of(replacement(guid_of("x"), current->id, {7}, content_of(std::string(400, 'c'))), current, {});
  constexpr std::uint64_t group_entries = 50;  // more than fit into a segment
  std::uint64_t number = 0;
  const auto write_groups = [&](int groups) {
    for (int group = 0; group < groups; ++group) {
      std::vector<message_entry> entries(group_entries, rejected);
      for (message_entry& each : entries) each.guid = guid_of(number++);
      write(entries);
    }
  };
  const auto is_trimmed = [this](position from) { return !store->read_log(from, 1); };

  write_groups(40);
  reopen();
  CHECK(replayed({1}).size() == store->last().number);

  const position confirmed{10 * group_entries};
  store->release_to_sink(confirmed);
  for (int i = 0; i < 50 && !is_trimmed({1}); ++i) write_groups(4);
  CHECK(is_trimmed({1}));
  CHECK_FALSE(is_trimmed({confirmed.number + 1}));

  reopen();
  const position first = store->first();
  store->release_to_sink({store->last().number});
  store->release_to_sink({first.number - 1});  // the sink was restored to an earlier state
  write_groups(50);
  reopen();
  CHECK(store->first() == first);
}

TEST_CASE_METHOD(testing::open_store, "the log returns no more entries than the limit") {
  write(life_of(1, 3));
  write(life_of(2, 4));
  const auto some = store->read_log({2}, 4);
  REQUIRE(some);
  REQUIRE(some->size() == 4);
  CHECK(some->front().position == position{2});
  CHECK(some->back().position == position{5});
  CHECK(some->back().message()->after->id == order_id_of(2));
}

TEST_CASE_METHOD(testing::open_store, "the log keeps a message whose GUID is used again or that has expired") {
  const message_entry first = create_entry(1);
  message_entry second = create_entry(2);
  second.guid = first.guid;
  write({first});
  write({second});
  const auto all = replayed();
  REQUIRE(all.size() == 2);
  CHECK(all[0].message()->record == first.record);
  CHECK(all[1].message()->record == second.record);
}

TEST_CASE_METHOD(testing::open_store, "the bytes after a position are those of the groups there") {
  CHECK(store->bytes_after({0}).value() == 0);
  write(life_of(1, 3));
  const std::uint64_t first = store->bytes_after({0}).value();
  CHECK(first > 0);
  CHECK(store->bytes_after({3}).value() == 0);
  write(life_of(2, 3));
  const std::uint64_t second = store->bytes_after({3}).value();
  CHECK(store->bytes_after({0}).value() == first + second);
  CHECK(store->bytes_after({4}).value() == second);  // rounded up to whole groups
  reopen();
  write({create_entry(3)});
  CHECK(store->bytes_after({0}).value() == first + second + store->bytes_after({6}).value());
}

TEST_CASE_METHOD(testing::open_store, "nothing that is durable is visible before it is applied") {
  for (std::uint64_t i = 1; i <= 3; ++i) write_to_log({create_entry(i)});
  CHECK(store->last() == position{3});
  CHECK(store->visible() == position{0});
  CHECK(store->find_order(order_id_of(1)).value() == nullptr);
  CHECK(replayed().size() == 3);

  store->apply({2});
  CHECK(store->visible() == position{2});
  CHECK(store->find_order(order_id_of(2)).value() != nullptr);
  CHECK(store->find_order(order_id_of(3)).value() == nullptr);
  store->apply({3});
  CHECK(store->visible() == position{3});
  CHECK(store->find_order(order_id_of(3)).value() != nullptr);

  store->release_to_sink({1});  // the sink was restored to an earlier state: visible entries stay visible
  CHECK(store->visible() == position{3});
  CHECK(store->find_order(order_id_of(3)).value() != nullptr);
}

TEST_CASE_METHOD(testing::open_store, "an entry without the version before is applied as one with it") {
  const auto life = life_of(1, 3);
  write({life[0]});
  for (std::size_t i = 1; i < life.size(); ++i) {
    message_entry each = life[i];
    each.before = nullptr;  // as the log returns it
    write({each});
  }
  for (const message_entry& each : life) {
    CHECK(*store->find_version(order_id_of(1), each.after->version).value() == *each.after);
  }
  CHECK(versions_in(list_versions(*store, order_id_of(1), {}, 10)) == std::vector<std::uint64_t>{3, 2, 1});
}

TEST_CASE_METHOD(testing::open_store, "an entry whose version before is not there is not applied") {
  message_entry orphan = life_of(1, 2).back();
  orphan.before = nullptr;
  REQUIRE(store->log().append(group_of({orphan})));
  REQUIRE(store->log().sync());
  CHECK_FALSE(store->view().apply(group_of({orphan}), {1}));
}

TEST_CASE_METHOD(testing::open_store, "the log id of a folder never changes") {
  const std::string id = store->log_id();
  CHECK(order_id::parse(id));
  write({create_entry(1)});
  reopen();
  CHECK(store->log_id() == id);
}

}  // namespace
}  // namespace ordem::storage
