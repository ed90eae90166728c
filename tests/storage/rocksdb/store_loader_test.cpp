// Loading a data folder with data that was kept elsewhere, and the store that results.

#include "storage/log/store_loader.hpp"

#include <rocksdb/db.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "storage/rocksdb/column_families.hpp"
#include "tests/storage/capture_entries.hpp"
#include "tests/storage/error_matcher.hpp"
#include "tests/storage/file_size_limit.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/storage/tampering.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;
using namespace testing;

const std::string loaded_log_id = "6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c";

struct load_test {
  temp_folder temp;
  manual_clock clock;
  fs::path folder = temp.path() / "data";

  auto load() { return load_new_store(settings_for(folder), loaded_log_id, clock); }
  std::unique_ptr<store_loader> loading() {
    auto loader = load();
    if (!loader) throw std::runtime_error(loader.error().message);
    return std::move(*loader);
  }
  // Loads the state that these entries lead to.
  void load_whole(const std::vector<message_entry>& entries) {
    const auto loader = loading();
    put_all(*loader, entries);
    REQUIRE(loader->finish({entries.size()}));
  }
  static void put_all(store_loader& loader, const std::vector<message_entry>& entries) {
    std::map<order_id, shared_order> present;
    for (const message_entry& each : entries) {
      if (each.after != nullptr) present[each.after->id] = each.after;
    }
    for (const auto& [id, current] : present) loader.put_order(*current);
    for (const message_entry& each : entries) {
      if (each.after != nullptr) loader.put_version(*each.after);
    }
    for (const message_entry& each : entries) loader.put_message(each.guid, each.record);
  }

  // Counts the records of a family in the database.
  std::size_t count_records(family where) const {
    const auto settings = settings_for(folder);
    const expired_record_filter expired(clock);
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    const auto families = families_of(settings, expired);
    REQUIRE(rocksdb::DB::OpenForReadOnly({}, (folder / "db").string(), families, &handles, &db).ok());
    std::size_t count = 0;
    {
      const std::unique_ptr<rocksdb::Iterator> at(db->NewIterator({}, handles[static_cast<std::size_t>(where)]));
      for (at->SeekToFirst(); at->Valid(); at->Next()) ++count;
    }
    for (auto* each : handles) db->DestroyColumnFamilyHandle(each);
    delete db;
    return count;
  }

  std::unique_ptr<test_store> open() { return opened(settings_for(folder), clock); }
  error failure_to_open() {
    auto result = try_open(settings_for(folder), clock);
    REQUIRE_FALSE(result);
    return std::move(result.error());
  }
  error failure_to_open_for_reading() {
    auto result = try_open_for_reading(settings_for(folder), clock);
    REQUIRE_FALSE(result);
    return std::move(result.error());
  }
};

// An order of three versions, one of one, and a rejection.
std::vector<message_entry> some_history() {
  auto all = life_of(1, 3);
  all.push_back(create_entry(2, content_of("c-2002")));
  all.push_back(entry_of(replacement(guid_of("late"), order_id_of(1), {1}), all[2].after, {}));
  return all;
}

void write(test_store& to, const std::vector<message_entry>& group) {
  REQUIRE(to.append(group_of(group)));
  REQUIRE(to.sync());
}

// --- the folder ---

TEST_CASE_METHOD(load_test, "a folder that is not empty is not loaded into, and nothing in it changes") {
  fs::create_directories(folder);
  std::ofstream(folder / "notes") << "mine";
  const auto loader = load();
  REQUIRE_FALSE(loader);
  CHECK_THAT(loader.error(), is_error(error_code::invalid_argument, {folder.string()}));
  CHECK(std::distance(fs::directory_iterator(folder), {}) == 1);
}

TEST_CASE_METHOD(load_test, "the folder of a store is not loaded into, and does not change") {
  write(*open(), {create_entry(1)});
  REQUIRE_FALSE(load());
  CHECK(open()->last() == position{1});
}

TEST_CASE_METHOD(load_test, "an error names the file in the place of the folder to load") {
  std::ofstream{folder} << "not a folder";
  const auto loader = load();
  REQUIRE_FALSE(loader);
  CHECK_THAT(loader.error(), is_error(error_code::invalid_argument, {folder.string()}));
}

TEST_CASE_METHOD(load_test, "an empty folder is loaded into, and a missing one is made, with its parents") {
  if (GENERATE(true, false)) {
    fs::create_directories(folder);
  } else {
    folder = temp.path() / "a" / "b";
  }
  load_whole(some_history());
  CHECK(open()->last() == position{5});
}

TEST_CASE_METHOD(load_test, "a folder can't be opened while it is being loaded") {
  const auto loader = loading();
  load_test::put_all(*loader, some_history());
  CHECK_THAT(failure_to_open(), is_error(error_code::locked));
  failure_to_open_for_reading();
}

TEST_CASE_METHOD(load_test, "a folder whose load never finished can't be opened, and the error says so") {
  const std::size_t entries = GENERATE(0U, 1U, 5U, 10'000U);
  {
    const auto loader = loading();
    std::vector<message_entry> all;
    while (all.size() < entries) all.push_back(create_entry(all.size() + 1));
    load_test::put_all(*loader, all);
  }
  CHECK_THAT(failure_to_open(), is_error(error_code::incomplete, {folder.string()}));
  CHECK_THAT(failure_to_open_for_reading(), is_error(error_code::incomplete, {folder.string()}));
  // Neither the try nor another load changes that.
  CHECK_FALSE(load());
  CHECK_THAT(failure_to_open(), is_error(error_code::incomplete));
}

TEST_CASE_METHOD(load_test,
                 "after a failed write a load keeps failing with the same error, and the folder is no store") {
  {
    const auto loader = loading();
    std::vector<message_entry> all;
    while (all.size() < 10'000) all.push_back(create_entry(all.size() + 1));
    const file_size_limit limit(100'000);
    load_test::put_all(*loader, all);
    const auto finished = loader->finish({all.size()});
    REQUIRE_FALSE(finished);
    CHECK_THAT(finished.error(), is_error(error_code::io_error, {folder.string()}));
    const auto again = loader->finish({all.size()});
    REQUIRE_FALSE(again);
    CHECK(again.error().message == finished.error().message);
  }
  CHECK_THAT(failure_to_open(), is_error(error_code::incomplete));
}

// --- its content ---

TEST_CASE_METHOD(load_test, "loaded orders, versions, messages and customers' lists are found") {
  const auto history = some_history();
  load_whole(history);
  const auto store = open();
  CHECK(store->log_id() == loaded_log_id);
  CHECK(store->last() == position{5});
  CHECK(store->appended() == position{5});
  CHECK(store->visible() == position{5});
  CHECK(*store->find_order(order_id_of(1)).value() == *history[2].after);
  CHECK(*store->find_order(order_id_of(2)).value() == *history[3].after);
  CHECK(store->find_order(order_id_of(3)).value() == nullptr);
  for (const message_entry& each : history) {
    CHECK(store->find_message(each.guid, sample_time).value() == each.record);
    if (each.after != nullptr) {
      CHECK(*store->find_version(each.after->id, each.after->version).value() == *each.after);
    }
  }
  CHECK(store->find_version(order_id_of(1), {4}).value() == nullptr);
  CHECK(ids_in(list_orders(*store, "c-1001", {}, 10)) == std::vector{order_id_of(1)});
  CHECK(ids_in(list_orders(*store, "c-2002", {}, 10)) == std::vector{order_id_of(2)});
  CHECK(list_orders(*store, "c-3003", {}, 10).empty());
}

TEST_CASE_METHOD(load_test, "the current version is kept once, whether or not it is also put as a version") {
  load_whole(life_of(1, 3));
  CHECK(count_records(family::orders) == 1);
  CHECK(count_records(family::versions) == 2);
  const auto store = open();
  using numbers = std::vector<std::uint64_t>;
  CHECK(versions_in(list_versions(*store, order_id_of(1), {}, 10)) == numbers{3, 2, 1});
  write(*store, {change_entry(store->find_order(order_id_of(1)).value())});
  CHECK(versions_in(list_versions(*store, order_id_of(1), {}, 10)) == numbers{4, 3, 2, 1});
}

TEST_CASE_METHOD(load_test, "an order whose older versions were deleted is loaded with the others") {
  const auto life = life_of(1, 4);
  {
    const auto loader = loading();
    loader->put_order(*life[3].after);
    loader->put_version(*life[2].after);
    REQUIRE(loader->finish({4}));
  }
  const auto store = open();
  CHECK(store->find_version(order_id_of(1), {3}).value() != nullptr);
  CHECK(store->find_version(order_id_of(1), {2}).value() == nullptr);
  CHECK(versions_in(list_versions(*store, order_id_of(1), {}, 10)) == std::vector<std::uint64_t>{4, 3});
}

TEST_CASE_METHOD(load_test, "more than one batch of records is loaded whole") {
  constexpr std::uint64_t orders = 10'000;
  std::vector<message_entry> all;
  for (std::uint64_t i = 1; i <= orders; ++i) {
    all.push_back(create_entry(i));
    if (i % 100 == 0) all.push_back(change_entry(all.back().after, content_of("c-2002")));
  }
  load_whole(all);
  const auto store = open();
  CHECK(store->last() == position{all.size()});
  std::uint64_t found = 0;
  REQUIRE(store->scan_orders([&](const shared_order& each) {
    REQUIRE(each->id == order_id_of(++found));
    REQUIRE(each->version == version{found % 100 == 0 ? 2U : 1U});
    return true;
  }));
  CHECK(found == orders);
  std::size_t messages = 0;
  REQUIRE(store->scan_messages(sample_time, [&](const guid&, const message_record&) { return ++messages > 0; }));
  CHECK(messages == all.size());
  CHECK(list_orders(*store, "c-2002", {}, orders).size() == orders / 100);
  CHECK(list_orders(*store, "c-1001", {}, orders).size() == orders - orders / 100);
  CHECK(store->find_version(order_id_of(100), {1}).value() != nullptr);
}

TEST_CASE_METHOD(load_test, "captures are loaded as they were, and change from there") {
  const capture_key allocated = key_of("allocated-AA");
  const capture_key recorded = key_of("recorded");
  {
    const auto loader = loading();
    loader->put_capture(allocated, *allocated_at(sample_time));
    loader->put_capture(recorded, *recorded_at(sample_time, response_of("r")));
    REQUIRE(loader->finish({7}));
  }
  auto store = open();
  CHECK(is_same(store->find_capture(allocated, sample_time).value(), allocated_at(sample_time)));
  CHECK(is_same(store->find_capture(recorded, sample_time).value(), recorded_at(sample_time, response_of("r"))));
  REQUIRE(store->append(std::vector<entry>{record_entry(allocated, "s"), release_entry(recorded)}) == position{9});
  REQUIRE(store->sync());
  store.reset();
  store = open();
  CHECK(store->find_capture(allocated, sample_time).value()->response->body == "s");
  CHECK(store->find_capture(recorded, sample_time).value() == nullptr);
}

TEST_CASE_METHOD(load_test, "more captures than fit into one batch are loaded whole") {
  constexpr std::uint64_t captures = 40;
  {
    const auto loader = loading();
    for (std::uint64_t i = 0; i < captures; ++i) {
      const std::string body(std::size_t{1} << 20, static_cast<char>('a' + i % 26));
      loader->put_capture(key_of(i), *recorded_at(sample_time, response_of(body)));
    }
    REQUIRE(loader->finish({captures}));
  }
  const auto store = open();
  std::uint64_t found = 0;
  REQUIRE(store->scan_captures(sample_time, [&](const capture_key& key, const shared_capture& what) {
    REQUIRE(key == key_of(found));
    REQUIRE(what->response->body == std::string(std::size_t{1} << 20, static_cast<char>('a' + found % 26)));
    return ++found > 0;
  }));
  CHECK(found == captures);
}

TEST_CASE_METHOD(load_test, "a load of nothing makes an empty store with that log id, whose log begins at 1") {
  load_whole({});
  const auto store = open();
  CHECK(store->log_id() == loaded_log_id);
  CHECK(store->last() == position{0});
  CHECK(store->append(group_of({create_entry(1)})) == position{1});
  CHECK(store->sync() == position{1});
  CHECK(store->read_log({1}, 10).value().size() == 1);
}

// --- later writes ---

TEST_CASE_METHOD(load_test, "the log continues at the next position, and is read from there") {
  load_whole(some_history());
  auto store = open();
  CHECK(store->read_log({6}, 10).value().empty());
  const message_entry created = create_entry(3);
  const message_entry changed = change_entry(created.after);
  CHECK(store->append(group_of({created})) == position{6});
  CHECK(store->append(group_of({changed})) == position{7});
  CHECK(store->sync() == position{7});

  if (GENERATE(true, false)) {
    store.reset();
    store = open();
    CHECK(store->log_id() == loaded_log_id);
  }
  CHECK(store->last() == position{7});
  const auto entries = store->read_log({6}, 10);
  REQUIRE(entries);
  REQUIRE(entries->size() == 2);
  CHECK((*entries)[0].position == position{6});
  CHECK((*entries)[0].message()->record == created.record);
  CHECK((*entries)[1].position == position{7});
  CHECK(*(*entries)[1].message()->after == *changed.after);
}

TEST_CASE_METHOD(load_test, "a loaded store without later writes opens again and again") {
  load_whole(some_history());
  open()->close();
  for (int i = 0; i < 2; ++i) {
    const auto store = open();
    CHECK(store->last() == position{5});
    CHECK(store->find_order(order_id_of(2)).value() != nullptr);
  }
  const auto reader = try_open_for_reading(settings_for(folder), clock);
  REQUIRE(reader);
  CHECK((*reader)->last() == position{5});
}

TEST_CASE_METHOD(load_test, "the check at a start may begin with an update of a loaded order") {
  const auto history = some_history();
  load_whole(history);
  const message_entry changed = change_entry(history[2].after, content_of("c-2002"));
  write(*open(), {changed});
  const auto store = open();
  CHECK(store->last() == position{6});
  CHECK(*store->find_order(order_id_of(1)).value() == *changed.after);
  CHECK(*store->find_version(order_id_of(1), {3}).value() == *history[2].after);
  CHECK(list_orders(*store, "c-1001", {}, 10).empty());
  CHECK(ids_in(list_orders(*store, "c-2002", {}, 10)) == std::vector{order_id_of(2), order_id_of(1)});
}

TEST_CASE_METHOD(load_test, "a read from before the beginning of the log fails with trimmed") {
  load_whole(some_history());
  const auto store = open();
  const auto is_trimmed = [&](position from) {
    const auto result = store->read_log(from, 10);
    return !result && result.error() == log_read_error::trimmed;
  };
  for (const std::uint64_t from : {0U, 1U, 5U}) CHECK(is_trimmed({from}));
  CHECK_FALSE(is_trimmed({6}));
  CHECK(store->first() == position{6});
  write(*store, {create_entry(3)});
  CHECK(store->first() == position{6});
  for (const std::uint64_t from : {0U, 1U, 5U}) CHECK(is_trimmed({from}));
  CHECK_FALSE(is_trimmed({6}));
}

TEST_CASE_METHOD(load_test, "the bytes after a position are those written since") {
  load_whole(some_history());
  auto store = open();
  CHECK(store->bytes_after({5}).value() == 0);
  write(*store, {create_entry(3)});
  const std::uint64_t first = store->bytes_after({5}).value();
  CHECK(first > 0);
  CHECK(store->bytes_after({0}).value() == first);  // no more is kept
  CHECK(store->bytes_after({6}).value() == 0);
  store.reset();
  store = open();
  write(*store, life_of(4, 3));
  const std::uint64_t second = store->bytes_after({6}).value();
  CHECK(second > 0);
  CHECK(store->bytes_after({5}).value() == first + second);
}

TEST_CASE_METHOD(load_test, "loaded data is visible at once, and later entries once they are applied") {
  load_whole(some_history());
  const auto store = open();
  CHECK(store->visible() == position{5});
  CHECK(store->find_order(order_id_of(1)).value() != nullptr);
  REQUIRE(store->append(group_of({create_entry(3)})));
  REQUIRE(store->log().sync());
  CHECK(store->find_order(order_id_of(3)).value() == nullptr);
  store->apply({6});
  CHECK(store->find_order(order_id_of(3)).value() != nullptr);
}

}  // namespace
}  // namespace ordem::storage
