// The view's files: memtables, table files, crashes and failed writes.

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "storage/folder/data_folder.hpp"
#include "storage/records/keys.hpp"
#include "tests/storage/error_matcher.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/storage/reported_errors.hpp"
#include "tests/storage/tampering.hpp"
#include "tests/support_cpp/sampled.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;
using namespace testing;
using Catch::Matchers::Contains;

struct index_test : open_store {
  reported_errors errors;
  std::uint64_t orders = 0;

  // Each order is created for customer a, and moves to customer b if its number is even.
  void write_orders(std::uint64_t count) {
    for (std::uint64_t last = orders + count; orders < last;) {
      ++orders;
      const message_entry created = create_entry(orders, content_of("a"));
      write(std::vector<message_entry>{created, change_entry(created.after, content_of(orders % 2 == 0 ? "b" : "a"))});
    }
  }

  // Appends one group, which is not durable yet.
  void append_creates(std::size_t count) {
    std::vector<entry> group;
    for (std::size_t i = 0; i < count; ++i) group.emplace_back(create_entry(++orders, content_of("a")));
    REQUIRE(store->append(group));
  }

  static std::size_t count_of(const test_store& in, const std::string& customer) {
    std::size_t count = 0;
    std::optional<order_id> after;
    for (;;) {
      const auto page = list_orders(in, customer, after, 100);
      count += page.size();
      if (page.size() < 100) return count;
      after = page.back()->id;
    }
  }

  void check_all_found(const test_store& in) const {
    for (std::uint64_t i = 1; i <= orders; ++i) {
      REQUIRE(in.find_message(create_entry(i).guid, sample_time).value());
    }
    REQUIRE(count_of(in, "a") == (orders + 1) / 2);
    REQUIRE(count_of(in, "b") == orders / 2);
    std::size_t messages = 0;
    REQUIRE(in.scan_messages(sample_time, [&](const guid&, const message_record&) { return ++messages > 0; }));
    REQUIRE(messages == 2 * orders);
  }

  // Puts a folder in the place of a table file that is to be ingested. REQUIRES: no memtable is full yet.
  fs::path put_obstacle() const {
    fs::path made = folder.path() / "incoming" / "messages";
    fs::create_directories(made / "in the way");
    return made;
  }

  // Removes the first files of the log, so that it begins at `first` or after it. Returns where it begins.
  std::uint64_t remove_segments_before(std::uint64_t first) {
    for (const fs::path& each : segments_in(folder.path() / "log")) {
      const std::uint64_t begin = std::stoull(each.stem().string());
      if (begin >= first) return begin;
      fs::remove(each);
    }
    FAIL("the log is too short");
    return 0;
  }

  // Returns the position that the table files have. REQUIRES: the store is not open.
  std::uint64_t indexed() {
    std::uint64_t reached = 0;
    tamper(folder.path(), [&](auto& db, auto handle) {
      handle(family::orders);
      std::string value;
      if (db.Get({}, "indexed", &value).ok()) reached = decode_log_key(value).value().number;
    });
    return reached;
  }
};

TEST_CASE_METHOD(index_test, "messages and customers are found in memory, in files, and in both") {
  for (int i = 0; i < 6; ++i) {
    write_orders(50);
    check_all_found(*store);
  }
  reopen();
  check_all_found(*store);
  store->close();
  store.reset();
  CHECK(indexed() == 2 * orders);
  open();
  check_all_found(*store);
}

// Reading the whole list takes thousands of times as long.
TEST_CASE_METHOD(index_test, "the first order of a customer is found as fast among many recent orders as among few") {
  settings.memtable_entries = 16 * group_entries_max;
  reopen();
  write({create_entry(1, content_of("few"))});
  orders = 1;
  for (int group = 0; group < 10; ++group) append_creates(group_entries_max);
  REQUIRE(store->sync());
  const auto first_of_list = [&](std::string_view customer) {
    auto quickest = std::chrono::nanoseconds::max();
    for (int i = 0; i < 100; ++i) {
      const auto start = std::chrono::steady_clock::now();
      REQUIRE(list_orders(*store, customer, {}, 1).size() == 1);
      quickest = std::min<std::chrono::nanoseconds>(quickest, std::chrono::steady_clock::now() - start);
    }
    return quickest;
  };
  CHECK(first_of_list("a") < 10 * first_of_list("few"));
  CHECK(list_orders(*store, "a", {}, 1).front()->id == order_id_of(orders));
}

// Each in its own memtable or table file, with ascending, descending or mixed ids.
TEST_CASE_METHOD(index_test, "orders are listed by id, whatever order they were written in") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> numbers(500);
  std::iota(numbers.begin(), numbers.end(), 1);
  std::shuffle(numbers.begin(), numbers.end(), random);
  std::map<std::uint64_t, shared_order> current;
  std::map<std::string, std::set<order_id, std::greater<>>> expected;
  for (const std::uint64_t number : numbers) {
    const message_entry created = create_entry(number, content_of("a"));
    write({created});
    current[number] = created.after;
    expected["a"].insert(created.after->id);
    // Some order moves to the other customer or back.
    auto& moving = std::next(current.begin(), static_cast<std::ptrdiff_t>(random() % current.size()))->second;
    const bool goes = moving->content.customer_id == "a";
    expected[goes ? "a" : "b"].erase(moving->id);
    expected[goes ? "b" : "a"].insert(moving->id);
    const message_entry change = change_entry(moving, content_of(goes ? "b" : "a"));
    write({change});
    moving = change.after;
    if (number % 50 == 0) {
      for (const auto& [customer, ids] : expected) {
        std::vector<order_id> seen;
        std::optional<order_id> after;
        const std::size_t limit = 1 + random() % 20;
        for (;;) {
          const auto page = ids_in(list_orders(*store, customer, after, limit));
          seen.insert(seen.end(), page.begin(), page.end());
          if (page.size() < limit) break;
          after = page.back();
        }
        REQUIRE(seen == std::vector<order_id>(ids.begin(), ids.end()));
      }
    }
  }
}

TEST_CASE_METHOD(index_test, "after each crash the indexes are made from the log") {
  write_orders(300);
  store.reset();
  CHECK(indexed() > 0);
  for (int i = 0; i < 3; ++i) {
    open();
    check_all_found(*store);
    write_orders(20);
    store.reset();
  }
}

TEST_CASE_METHOD(index_test, "a store for reading finds what its writer has only in memory") {
  write_orders(100);
  const auto reader = try_open_for_reading(settings, clock);
  REQUIRE(reader);
  check_all_found(**reader);
}

TEST_CASE_METHOD(index_test, "a table file that a crash left before its ingestion is deleted") {
  write_orders(10);
  store.reset();
  std::ofstream(folder.path() / "incoming" / "messages") << "half";
  open();
  write_orders(100);
  check_all_found(*store);
  store->close();
  CHECK(fs::is_empty(folder.path() / "incoming"));
}

TEST_CASE_METHOD(index_test, "indexes that are ahead of the log are refused") {
  write_orders(10);
  store->close();
  store.reset();
  tamper(folder.path(), [&](auto& db, auto handle) {
    handle(family::orders);
    std::string value;
    encode_log_key(value, {1000});
    REQUIRE(db.Put({}, "indexed", value).ok());
  });
  const auto result = try_open(settings, clock);
  REQUIRE_FALSE(result);
  CHECK_THAT(result.error(), is_error(error_code::damaged, {"ahead of the log"}));
}

TEST_CASE_METHOD(index_test, "a log that begins before where the files end, or just there, is no damage") {
  settings.segment_bytes = 4096;
  reopen();
  write_orders(50);
  store->close();
  store.reset();
  const std::uint64_t first = remove_segments_before(41);
  open();
  check_all_found(*store);
  CHECK(store->first() == position{first});
  CHECK(replayed({first}).size() == 101 - first);
  CHECK(store->read_log({first - 1}, 1).error() == log_read_error::trimmed);
  write_orders(50);
  reopen();
  check_all_found(*store);
  CHECK(replayed({first}).size() == 201 - first);
}

TEST_CASE_METHOD(index_test, "a log that begins after where the files end is refused") {
  settings.segment_bytes = 4096;
  settings.memtable_entries = 128;
  reopen();
  write_orders(100);
  store.reset();
  const std::uint64_t reached = indexed();
  CAPTURE(reached);
  REQUIRE(reached < 150);
  remove_segments_before(reached + 2);
  const auto result = try_open(settings, clock);
  REQUIRE_FALSE(result);
  CHECK_THAT(result.error(), is_error(error_code::damaged, {"does not reach back to the files"}));
}

TEST_CASE_METHOD(index_test, "when files can't be written the view says so, takes what is in flight, and recovers") {
  settings.on_error = errors.listener();
  reopen();
  write_orders(10);
  CHECK_FALSE(store->view().has_failed());
  const fs::path obstacle = put_obstacle();
  // The flush thread fails; until then it is not known.
  while (!store->view().has_failed()) {
    write_orders(1);
    REQUIRE(orders < 1'000'000);
  }
  write_orders(1000);  // more than the memtables that may wait
  check_all_found(*store);
  CHECK(store->view().has_failed());
  const auto again = store->view().recover();
  REQUIRE_FALSE(again);
  CHECK_THAT(again.error(), is_error(error_code::io_error));

  fs::remove_all(obstacle);
  REQUIRE(store->view().recover());
  CHECK_FALSE(store->view().has_failed());
  write_orders(100);
  check_all_found(*store);
  store->close();
  store.reset();
  CHECK(indexed() == 2 * orders);
  const auto reported = errors.all();
  REQUIRE(reported.size() >= 2);
  CHECK_THAT(reported[0], Contains("table files") && !Contains("/proc/self/fd"));
  settings.on_error = [](std::string_view) {};
  open();
  check_all_found(*store);
}

TEST_CASE_METHOD(index_test, "after a failure to write files a restart has everything") {
  write_orders(10);
  put_obstacle();
  while (!store->view().has_failed()) {
    write_orders(1);
    REQUIRE(orders < 1'000'000);
  }
  write_orders(100);
  reopen();
  check_all_found(*store);
}

// A start would find the files ahead of the log.
TEST_CASE_METHOD(index_test, "nothing goes into table files before it is durable in the log") {
  for (int group = 0; group < 200; ++group) append_creates(settings.memtable_entries);
  store.reset();
  CHECK(indexed() == 0);
}

TEST_CASE_METHOD(index_test, "the log is kept from where the indexes end, even with a lower log_entries_kept") {
  settings.log_entries_kept = 1;
  settings.memtable_entries = 16 * group_entries_max;
  settings.segment_bytes = std::size_t{1} << 20;
  settings.durability = durability::os;
  reopen();
  while (store->read_log({1}, 1)) {
    REQUIRE(orders < 1'000'000);
    // Durable in one step, so that the first entries are written to table files before the last ones.
    for (int group = 0; group < 32; ++group) append_creates(group_entries_max);
    REQUIRE(store->sync());
  }
  reopen();
  for (const int i : sampled(static_cast<int>(orders))) {
    const guid sought = create_entry(static_cast<std::uint64_t>(i) + 1).guid;
    REQUIRE(store->find_message(sought, sample_time).value());
  }
}

TEST_CASE_METHOD(index_test,
                 "a GUID that is used again after its expiry finds the later message in memory and in files") {
  write_orders(100);
  const message_entry first = create_entry(1);
  const timestamp later = first.record.expires_at;
  const message_entry second = entry_of(creation(first.guid), nullptr, order_id_of(5000), later);
  write({second});
  CHECK(store->find_message(first.guid, later).value() == second.record);
  reopen();
  CHECK(store->find_message(first.guid, later).value() == second.record);
  store->close();
  reopen();
  CHECK(store->find_message(first.guid, later).value() == second.record);
}

TEST_CASE_METHOD(index_test, "an order is found as of its last change, whether that made it large or small") {
  shared_order current = create_entry(1).after;
  write({create_entry(1)});
  for (std::uint32_t i = 1; i <= 200; ++i) {
    order_content content = content_of("a", i);
    if (i % 3 == 0) content.items.resize(100, content.items.front());  // too large for a memtable
    const message_entry change = change_entry(current, std::move(content));
    write({change});
    current = change.after;
    REQUIRE(*store->find_order(current->id).value() == *current);
    if (i % 50 > 2) continue;
    reopen();
    REQUIRE(*store->find_order(current->id).value() == *current);
  }
}

TEST_CASE_METHOD(index_test, "after a crash an order with more changes than one read of the log returns is recovered") {
  settings.memtable_entries = 4 * group_entries_max;
  reopen();
  const auto life = life_of(1, group_entries_max + 100);
  for (const message_entry& each : life) REQUIRE(store->append(group_of({each})));
  REQUIRE(store->sync());
  reopen();
  for (const message_entry& each : life) {
    REQUIRE(*store->find_version(each.after->id, each.after->version).value() == *each.after);
  }
  CHECK(*store->find_order(life.back().after->id).value() == *life.back().after);
}

TEST_CASE_METHOD(index_test, "no record of a durable entry is visible before it is applied") {
  const message_entry created = create_entry(1, content_of("a"));
  write_to_log({created});
  CHECK(store->find_order(created.after->id).value() == nullptr);
  CHECK_FALSE(store->find_message(create_entry(1).guid, sample_time).value());
  CHECK(list_orders(*store, "a", {}, 10).empty());
  store->apply({1});
  CHECK(store->find_order(created.after->id).value() != nullptr);
  CHECK(store->find_message(create_entry(1).guid, sample_time).value());
  CHECK(list_orders(*store, "a", {}, 10).size() == 1);
}

}  // namespace
}  // namespace ordem::storage
