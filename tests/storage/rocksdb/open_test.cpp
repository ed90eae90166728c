// Opening data folders: new, used, locked, foreign, torn and damaged ones.

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <random>
#include <sstream>

#include "storage/log/store.hpp"
#include "storage/records/data_format.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/order_record.hpp"
#include "tests/storage/error_matcher.hpp"
#include "tests/storage/file_size_limit.hpp"
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
using Catch::Matchers::StartsWith;

struct folder_test {
  temp_folder temp;
  manual_clock clock;
  fs::path folder = temp.path() / "data";

  // Appends this many groups of three entries: a new order, its change, a rejection.
  void fill(std::uint64_t groups) {
    const auto store = opened(settings_for(folder), clock);
    for (std::uint64_t i = store->last().number / 3; groups > 0; ++i, --groups) {
      REQUIRE(store->append(group_of(group(i))));
      REQUIRE(store->sync());
    }
  }
  static std::vector<message_entry> group(std::uint64_t number) {
    auto entries = life_of(number, 2);
    entries.push_back(entry_of(replacement(guid_of("late-" + std::to_string(number)), order_id_of(number), {1}),
                               entries.back().after, {}));
    return entries;
  }

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

  // Writes everything to table files.
  void close() { opened(settings_for(folder), clock)->close(); }
  // The last file of the log.
  fs::path segment() const { return segments_in(folder / "log").back(); }
};

// Checks that the store has what the first `groups` groups wrote, and nothing else.
void check_holds_groups(const test_store& store, std::uint64_t groups) {
  REQUIRE(store.last() == position{3 * groups});
  for (std::uint64_t i = 0; i < groups; ++i) {
    for (const message_entry& each : folder_test::group(i))
      REQUIRE(store.find_message(each.guid, sample_time).value() == each.record);
    REQUIRE(store.find_order(order_id_of(i)).value()->version == version{2});
  }
  REQUIRE(store.find_order(order_id_of(groups)).value() == nullptr);
  REQUIRE(store.find_message(folder_test::group(groups)[0].guid, sample_time).value() == std::nullopt);
  REQUIRE(list_orders(store, "c-1001", {}, 10'000).size() == groups);
}

// --- in good order ---

TEST_CASE_METHOD(folder_test, "a missing folder is made, with its parents") {
  folder = temp.path() / "a" / "b";
  fill(1);
  CHECK(fs::is_directory(folder));
  CHECK(read_file(folder / "FORMAT") ==
        std::to_string(data_format) + "\n" + opened(settings_for(folder), clock)->log_id() + "\n");
}

TEST_CASE_METHOD(folder_test, "an empty folder is opened") {
  fs::create_directories(folder);
  fill(1);
  check_holds_groups(*opened(settings_for(folder), clock), 1);
}

TEST_CASE_METHOD(folder_test, "a store that was not closed opens with all that was durable") {
  fill(5);
  fill(5);
  check_holds_groups(*opened(settings_for(folder), clock), 10);
}

TEST_CASE_METHOD(folder_test, "a store that was closed opens with all that was durable") {
  fill(5);
  opened(settings_for(folder), clock)->close();
  check_holds_groups(*opened(settings_for(folder), clock), 5);
  fill(5);
  check_holds_groups(*opened(settings_for(folder), clock), 10);
}

TEST_CASE_METHOD(folder_test, "the greatest id of an order is known at the start, unless there is no order") {
  CHECK_FALSE(opened(settings_for(folder), clock)->newest_order());
  fill(3);
  CHECK(opened(settings_for(folder), clock)->newest_order() == order_id_of(2));
  CHECK(try_open_for_reading(settings_for(folder), clock).value()->newest_order() == order_id_of(2));
}

TEST_CASE_METHOD(folder_test, "a folder whose first start was cut off is opened") {
  // As after a crash: the folder has the lock, and perhaps a part of the log, of the database and of FORMAT.
  write_file(folder / "LOCK", "");
  SECTION("after the lock") {}
  SECTION("before the log had a file") {
    fs::create_directories(folder / "log");
  }
  SECTION("before the log's file had its name") {
    write_file(folder / "log" / "unfinished", "OrdemLog");
  }
  SECTION("before FORMAT was written") {
    opened(settings_for(folder), clock);
    fs::remove(folder / "FORMAT");
    if (GENERATE(true, false)) fs::remove_all(folder / "db");
  }
  SECTION("while FORMAT was written") {
    opened(settings_for(folder), clock);
    fs::rename(folder / "FORMAT", folder / "FORMAT.tmp");
  }
  const auto result = try_open(settings_for(folder), clock);
  INFO((result ? "" : result.error().message));
  REQUIRE(result);
  check_holds_groups(**result, 0);
}

// --- locked ---

TEST_CASE_METHOD(folder_test,
                 "a folder that is open can't be opened a second time, and the error says that it is locked") {
  fill(1);
  {
    const auto first = opened(settings_for(folder), clock);
    CHECK_THAT(failure_to_open(), is_error(error_code::locked, {folder.string()}));
  }
  check_holds_groups(*opened(settings_for(folder), clock), 1);
}

// --- foreign ---

TEST_CASE_METHOD(folder_test, "a folder of another format is not opened, and both numbers are named") {
  fill(1);
  const std::string format = GENERATE(as<std::string>{}, "1\n", "2\n", "3\n", "7\n", "999\n", "0\n");
  write_file(folder / "FORMAT", format);
  CHECK_THAT(failure_to_open(),
             is_error(error_code::wrong_format, {format.substr(0, format.size() - 1), std::to_string(data_format)}));
  CHECK_THAT(failure_to_open_for_reading(), is_error(error_code::wrong_format));
  CHECK(read_file(folder / "FORMAT") == format);
}

TEST_CASE_METHOD(folder_test, "data whose FORMAT is missing or unreadable is not opened") {
  fill(1);
  fs::remove(folder / "FORMAT");
  const std::string damaged = GENERATE(as<std::string>{}, "", "one\n", "6\n", "6\nno-uuid\n");
  if (!damaged.empty()) write_file(folder / "FORMAT", damaged);
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {"FORMAT"}));
  CHECK_THAT(failure_to_open_for_reading(), is_error(error_code::damaged, {"FORMAT"}));
}

TEST_CASE_METHOD(folder_test, "an error names the file in the place of the folder") {
  write_file(folder, "not a folder");
  CHECK_THAT(failure_to_open(), is_error(error_code::io_error, {folder.string()}));
  CHECK_THAT(failure_to_open_for_reading(), is_error(error_code::not_found, {folder.string()}));
}

TEST_CASE_METHOD(folder_test, "a file in the place of the database is an error") {
  write_file(folder / "FORMAT", "6\n6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c\n");
  write_file(folder / "db", "not a database");
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {folder.string()}));
}

TEST_CASE_METHOD(folder_test, "a folder below a file is an error") {
  write_file(temp.path() / "file", "not a folder");
  folder = temp.path() / "file" / "data";
  CHECK_THAT(failure_to_open(), is_error(error_code::io_error, {folder.string()}));
}

// --- torn and damaged ---

TEST_CASE_METHOD(folder_test,
                 "a log that was torn off anywhere opens with the whole groups before, never a part of one",
                 "[damage]") {
  constexpr std::uint64_t groups = 3;
  fill(groups);
  const fs::path log = segment();
  const std::string whole = read_file(log);
  const std::size_t end = whole.find_last_not_of('\0') + 1;
  const temp_folder copies;
  std::uint64_t fewest = groups;
  for (std::size_t size = 512; size < end; size += 23) {
    const fs::path copy = copies.path() / std::to_string(size);
    fs::copy(folder, copy, fs::copy_options::recursive);
    fs::resize_file(copy / "log" / log.filename(), size);
    INFO("cut off at byte " << size << " of " << end);
    const auto result = try_open(settings_for(copy), clock);
    INFO((result ? "" : result.error().message));
    REQUIRE(result);
    REQUIRE((*result)->last().number % 3 == 0);
    fewest = std::min(fewest, (*result)->last().number / 3);
    check_holds_groups(**result, (*result)->last().number / 3);
    // The store can append.
    REQUIRE((*result)->append(group_of(group((*result)->last().number / 3))));
    REQUIRE((*result)->sync());
  }
  CHECK(fewest == 0);
}

TEST_CASE_METHOD(folder_test, "a log that is damaged in the middle is not opened, and does not change", "[damage]") {
  fill(400);
  const auto segments = segments_in(folder / "log");
  REQUIRE(segments.size() > 5);
  const double place = GENERATE(0.1, 0.5, 0.9);
  const fs::path log = segments[static_cast<std::size_t>(place * static_cast<double>(segments.size()))];
  const std::string whole = read_file(log);
  std::string damaged = whole;
  for (std::size_t i = 2000; i < 2064; ++i) damaged[i] = static_cast<char>(~damaged[i]);
  write_file(log, damaged);
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {folder.string()}));
  CHECK(read_file(log) == damaged);
  write_file(log, whole);
  check_holds_groups(*opened(settings_for(folder), clock), 400);
}

TEST_CASE_METHOD(folder_test, "no single inverted byte of a log silently drops a durable record", "[damage]") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  fill(100);
  const auto segments = segments_in(folder / "log");
  REQUIRE(segments.size() > 1);
  const temp_folder copies;
  for (const int i : sampled(60)) {
    const fs::path copy = copies.path() / std::to_string(i);
    fs::copy(folder, copy, fs::copy_options::recursive);
    const fs::path log = segments[random() % segments.size()];
    std::string damaged = read_file(log);
    const std::size_t at = random() % (damaged.find_last_not_of('\0') + 1);
    damaged[at] = static_cast<char>(~damaged[at]);
    write_file(copy / "log" / log.filename(), damaged);
    INFO("byte " << at << " of " << log);
    if (const auto result = try_open(settings_for(copy), clock)) REQUIRE((*result)->last() == position{300});
    fs::remove_all(copy);
  }
}

TEST_CASE_METHOD(folder_test, "a folder without its log, or without a file in it, is not opened") {
  fill(3);
  fs::remove_all(folder / "log");
  if (GENERATE(true, false)) fs::create_directories(folder / "log");
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {folder.string(), "log"}));
  CHECK_THAT(failure_to_open_for_reading(), is_error(error_code::damaged, {folder.string(), "log"}));
}

TEST_CASE_METHOD(folder_test, "the log of another folder is not opened") {
  fill(3);
  const fs::path mine = folder;
  folder = temp.path() / "other";
  fill(4);
  fs::remove_all(mine / "log");
  fs::rename(folder / "log", mine / "log");
  folder = mine;
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {folder.string(), "another data folder"}));
}

TEST_CASE_METHOD(folder_test, "a missing table file is damage") {
  fill(3);
  opened(settings_for(folder), clock)->close();
  std::size_t removed = 0;
  for (const auto& each : fs::directory_iterator(folder / "db")) {
    if (each.path().extension() == ".sst") removed += fs::remove(each.path());
  }
  REQUIRE(removed > 0);
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {folder.string()}));
}

TEST_CASE_METHOD(folder_test, "a database without its CURRENT file is not created again") {
  fill(3);
  fs::remove(folder / "db" / "CURRENT");
  const auto result = try_open(settings_for(folder), clock);
  CHECK_FALSE(result);
}

// Changes the database so that the log and the orders differ.
struct tampered_test : folder_test {
  template <class Change>
  void tamper(Change change) {
    testing::tamper(folder, change);
  }
  static rocksdb::Slice key_of(const order_id& id) {
    return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
  }
};

TEST_CASE_METHOD(tampered_test, "a folder whose log names a missing order is not opened") {
  fill(3);
  close();
  const order_id id = order_id_of(1);
  tamper([&](auto& db, auto handle) { REQUIRE(db.Delete({}, handle(family::orders), key_of(id)).ok()); });
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged));
}

TEST_CASE_METHOD(tampered_test,
                 "a folder whose order is not what the log made of it is not opened, and the order is named") {
  fill(3);
  close();
  const order_id id = order_id_of(1);
  order other = *group(1)[1].after;
  other.total = money::of_minor_units(1).value();
  std::string record;
  encode_order(record, other);
  tamper([&](auto& db, auto handle) { REQUIRE(db.Put({}, handle(family::orders), key_of(id), record).ok()); });
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {id.to_string()}));
}

TEST_CASE_METHOD(tampered_test, "a folder whose last log group can't be read is not opened") {
  fill(3);
  if (GENERATE(true, false)) close();
  const fs::path log = segment();
  std::string damaged = read_file(log);
  damaged[damaged.find_last_not_of('\0') - 100] ^= 1;
  write_file(log, damaged);
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {log.string()}));
  CHECK(read_file(log) == damaged);
}

TEST_CASE_METHOD(tampered_test, "a folder whose log ends before its files is not opened") {
  fill(3);
  const std::string before = read_file(segment());
  fill(1);
  close();
  write_file(segment(), before);
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {"ahead of the log"}));
}

TEST_CASE_METHOD(tampered_test, "a record that can't be read is a failed read, reported once", "[damage]") {
  {
    // More entries than the start checks.
    const auto store = opened(settings_for(folder), clock);
    for (std::uint64_t i = 0; i < 1500; ++i) REQUIRE(store->append(group_of(group(i))));
    REQUIRE(store->sync());
    store->close();
  }
  const order_id id = order_id_of(1);
  const auto [damaged_order, damaged_message] = GENERATE(table<bool, bool>({{true, false}, {false, true}}));
  tamper([&, order = damaged_order](auto& db, auto handle) {
    std::string key;
    encode_message_key(key, {}, group(1)[0].guid);
    REQUIRE(db.Put({}, handle(order ? family::orders : family::messages), order ? key_of(id) : rocksdb::Slice(key),
                   "nonsense")
                .ok());
  });
  auto settings = settings_for(folder);
  std::vector<std::string> errors;
  settings.on_error = [&](std::string_view what) { errors.emplace_back(what); };
  const auto store = opened(std::move(settings), clock);
  if (damaged_order) {
    CHECK_FALSE(store->find_order(id));
  } else {
    CHECK_FALSE(store->find_message(group(1)[0].guid, sample_time));
  }
  REQUIRE(errors.size() == 1);
  CHECK_THAT(errors[0], Contains("damaged"));
}

// --- a full disk ---

// RocksDB's background threads may fail first, and log that.
void check_reported_once(const std::vector<std::string>& errors) {
  CAPTURE(errors);
  std::size_t reports = 0;
  for (const std::string& each : errors) {
    if (each.starts_with("a write to the log failed")) {
      ++reports;
    } else {
      CHECK_THAT(each, StartsWith("[ERROR]"));
    }
    CHECK_THAT(each, !Contains("/proc/self/fd"));
  }
  CHECK(reports == 1);
}

// Appends groups until a write fails, and checks the store then.
struct full_disk_test : folder_test {
  void run(std::uint64_t groups, std::uintmax_t limit_bytes) {
    fill(groups);
    std::uint64_t durable = groups;
    reported_errors errors;
    {
      auto settings = settings_for(folder);
      settings.on_error = errors.listener();
      const auto store = opened(std::move(settings), clock);
      const file_size_limit limit(limit_bytes);
      auto appended = store->append(group_of(group(durable)));
      while (appended && store->sync() && durable < 1000) appended = store->append(group_of(group(++durable)));
      REQUIRE_FALSE(appended);
      CHECK(appended.error() == log_error::write_failed);
      CHECK(durable > groups);

      CHECK(store->append(group_of(group(durable))).error() == log_error::failed_earlier);
      CHECK(store->sync().error() == log_error::failed_earlier);
      check_holds_groups(*store, durable);
    }
    check_reported_once(errors.all());
    const auto store = opened(settings_for(folder), clock);
    const std::uint64_t recovered = store->last().number / 3;
    CHECK(recovered >= durable);
    CHECK(recovered <= durable + 1);
    check_holds_groups(*store, recovered);
  }
};

TEST_CASE_METHOD(full_disk_test,
                 "after a failed write nothing is written, reads work, and a restart has all that was durable") {
  run(5, 12'000);
}

TEST_CASE_METHOD(full_disk_test,
                 "a disk that is too full for RocksDB's information log ends neither the process nor the reads") {
  run(2, 4'000);
}

// --- for reading ---

TEST_CASE_METHOD(folder_test, "a folder can be read while another store writes it") {
  fill(2);
  const auto writer = opened(settings_for(folder), clock);
  REQUIRE(writer->append(group_of(group(2))));
  REQUIRE(writer->sync());
  const auto reader = try_open_for_reading(settings_for(folder), clock);
  INFO((reader ? "" : reader.error().message));
  REQUIRE(reader);
  check_holds_groups(**reader, 3);

  // It has the data of one moment, and does not block the writer.
  REQUIRE(writer->append(group_of(group(3))));
  REQUIRE(writer->sync());
  check_holds_groups(**reader, 3);
  check_holds_groups(*writer, 4);
}

TEST_CASE_METHOD(folder_test, "a folder can be read that has no writer") {
  fill(3);
  if (GENERATE(true, false)) opened(settings_for(folder), clock)->close();
  const auto reader = try_open_for_reading(settings_for(folder), clock);
  REQUIRE(reader);
  check_holds_groups(**reader, 3);
}

TEST_CASE_METHOD(folder_test, "a store for reading does not lock out a writer") {
  fill(3);
  const auto reader = try_open_for_reading(settings_for(folder), clock);
  REQUIRE(reader);
  fill(3);
  check_holds_groups(*opened(settings_for(folder), clock), 6);
}

TEST_CASE_METHOD(folder_test, "opening a missing folder for reading does not make it") {
  CHECK_THAT(failure_to_open_for_reading(), is_error(error_code::not_found, {folder.string()}));
  CHECK_FALSE(fs::exists(folder));
  fs::create_directories(folder);
  CHECK_THAT(failure_to_open_for_reading(), is_error(error_code::not_found, {folder.string()}));
  CHECK(fs::is_empty(folder));
}

}  // namespace
}  // namespace ordem::storage
