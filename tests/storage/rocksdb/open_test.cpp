// Opening data folders: new, used, locked, foreign, torn and damaged ones.

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <random>
#include <sstream>

#include "storage/log/store.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/order_record.hpp"
#include "tests/storage/error_matcher.hpp"
#include "tests/storage/file_size_limit.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/storage/reported_errors.hpp"
#include "tests/storage/tampering.hpp"
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
    auto result = storage::open_store(settings_for(folder), clock);
    REQUIRE_FALSE(result);
    return std::move(result.error());
  }
  error failure_to_open_for_reading() {
    auto result = open_store_for_reading(settings_for(folder), clock);
    REQUIRE_FALSE(result);
    return std::move(result.error());
  }

  // Returns the largest write-ahead log.
  fs::path wal() const {
    fs::path largest;
    for (const auto& each : fs::directory_iterator(folder / "db")) {
      if (each.path().extension() != ".log") continue;
      if (largest.empty() || fs::file_size(each.path()) > fs::file_size(largest)) largest = each.path();
    }
    REQUIRE_FALSE(largest.empty());
    return largest;
  }
  void write_file(const fs::path& name, const std::string& text) const {
    fs::create_directories(name.parent_path());
    std::ofstream(name, std::ios::binary) << text;
  }
  static std::string read_file(const fs::path& name) {
    std::ostringstream text;
    text << std::ifstream(name, std::ios::binary).rdbuf();
    return text.str();
  }
};

// Checks that the store has what the first `groups` groups wrote, and nothing else.
void check_holds_groups(const storage::store& store, std::uint64_t groups) {
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
  CHECK(read_file(folder / "FORMAT") == "4\n" + opened(settings_for(folder), clock)->log_id() + "\n");
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
  CHECK(storage::open_store_for_reading(settings_for(folder), clock).value()->newest_order() == order_id_of(2));
}

TEST_CASE_METHOD(folder_test, "a folder whose first start was cut off is opened") {
  // As after a crash: the folder has the lock, and perhaps a part of FORMAT.
  write_file(folder / "LOCK", "");
  if (GENERATE(true, false)) write_file(folder / "FORMAT.tmp", "");
  check_holds_groups(*opened(settings_for(folder), clock), 0);
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
  const std::string format = GENERATE(as<std::string>{}, "1\n", "2\n", "3\n", "999\n", "0\n");
  write_file(folder / "FORMAT", format);
  CHECK_THAT(failure_to_open(), is_error(error_code::wrong_format, {format.substr(0, format.size() - 1), "4"}));
  CHECK_THAT(failure_to_open_for_reading(), is_error(error_code::wrong_format));
  CHECK(read_file(folder / "FORMAT") == format);
}

TEST_CASE_METHOD(folder_test, "data whose FORMAT is missing or unreadable is not opened") {
  fill(1);
  fs::remove(folder / "FORMAT");
  const std::string damaged = GENERATE(as<std::string>{}, "", "one\n", "4\n", "4\nno-uuid\n");
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
  write_file(folder / "FORMAT", "4\n6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c\n");
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
                 "a log that was torn off anywhere opens with the whole groups before, never a part of one") {
  constexpr std::uint64_t groups = 3;
  fill(groups);
  const fs::path log = wal();
  const std::string whole = read_file(log);
  const temp_folder copies;
  std::uint64_t fewest = groups;
  for (std::size_t size = 0; size < whole.size(); size += 23) {
    const fs::path copy = copies.path() / std::to_string(size);
    fs::copy(folder, copy, fs::copy_options::recursive);
    fs::resize_file(copy / "db" / log.filename(), size);
    INFO("cut off at byte " << size << " of " << whole.size());
    const auto result = storage::open_store(settings_for(copy), clock);
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

TEST_CASE_METHOD(folder_test, "a log that is damaged in the middle is not opened, and does not change") {
  fill(400);
  const fs::path log = wal();
  const std::string whole = read_file(log);
  REQUIRE(whole.size() > 3 * 32768);  // RocksDB's blocks
  const double place = GENERATE(0.1, 0.3, 0.5);
  std::string damaged = whole;
  const auto at = static_cast<std::size_t>(place * static_cast<double>(whole.size()));
  for (std::size_t i = at; i < at + 64; ++i) damaged[i] = static_cast<char>(~damaged[i]);
  write_file(log, damaged);
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {folder.string()}));
  CHECK(read_file(log) == damaged);
  write_file(log, whole);
  check_holds_groups(*opened(settings_for(folder), clock), 400);
}

TEST_CASE_METHOD(folder_test,
                 "no single inverted byte before the last block of a log silently drops a durable record") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  constexpr std::size_t block_bytes = 32768;  // RocksDB's
  fill(200);
  const fs::path log = wal();
  const std::string whole = read_file(log);
  REQUIRE(whole.size() > 2 * block_bytes);
  const temp_folder copies;
  for (int i = 0; i < 40; ++i) {
    const fs::path copy = copies.path() / std::to_string(i);
    fs::copy(folder, copy, fs::copy_options::recursive);
    std::string damaged = whole;
    const std::size_t at = random() % (whole.size() - whole.size() % block_bytes);
    damaged[at] = static_cast<char>(~damaged[at]);
    write_file(copy / "db" / log.filename(), damaged);
    INFO("byte " << at << " of " << whole.size());
    const auto result = storage::open_store(settings_for(copy), clock);
    if (result) REQUIRE((*result)->last() == position{600});
  }
}

TEST_CASE_METHOD(folder_test,
                 "a record of the log that looks like one of a recycled file is damage, not the log's end") {
  fill(200);
  const fs::path log = wal();
  std::string damaged = read_file(log);
  // The headers: checksum 4, length 2, type 1. The third record stands in the first block.
  std::size_t record = 0;
  for (int i = 0; i < 2; ++i) {
    record +=
        7 + static_cast<unsigned char>(damaged[record + 4]) + 256U * static_cast<unsigned char>(damaged[record + 5]);
  }
  REQUIRE(damaged[record + 6] == 1);
  damaged[record + 6] = 5;
  write_file(log, damaged);
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {"byte " + std::to_string(record)}));
}

TEST_CASE_METHOD(folder_test, "a damaged record before whole ones is damage, also in the last block") {
  fill(200);
  const fs::path log = wal();
  std::string damaged = read_file(log);
  const std::size_t last_block = damaged.size() - damaged.size() % 32768;
  const std::size_t at = last_block + (damaged.size() - last_block) / 3;
  damaged[at] = static_cast<char>(~damaged[at]);
  write_file(log, damaged);
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged));
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
  const auto result = storage::open_store(settings_for(folder), clock);
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
  const order_id id = order_id_of(1);
  tamper([&](auto& db, auto handle) { REQUIRE(db.Delete({}, handle(family::orders), key_of(id)).ok()); });
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged));
}

TEST_CASE_METHOD(tampered_test,
                 "a folder whose order is not what the log made of it is not opened, and the order is named") {
  fill(3);
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
  tamper([&](auto& db, auto handle) {
    std::string key;
    encode_log_key(key, {7});
    REQUIRE(db.Put({}, handle(family::log), key, "nonsense").ok());
  });
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged));
}

TEST_CASE_METHOD(tampered_test, "a record that can't be read is a failed read, reported once") {
  fill(100);
  opened(settings_for(folder), clock)->close();  // so that the start reads as little as possible
  const order_id id = order_id_of(1);
  const auto [damaged_order, damaged_message] = GENERATE(table<bool, bool>({{true, false}, {false, true}}));
  tamper([&, order = damaged_order](auto& db, auto handle) {
    std::string key;
    encode_message_key(key, group(1)[0].guid);
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
    if (each.starts_with("a write failed")) {
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
      while (appended && store->sync()) appended = store->append(group_of(group(++durable)));
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
  run(20, 600'000);
}

TEST_CASE_METHOD(full_disk_test,
                 "a disk that is too full for RocksDB's information log ends neither the process nor the reads") {
  run(20, 40'000);
}

// --- for reading ---

TEST_CASE_METHOD(folder_test, "a folder can be read while another store writes it") {
  fill(2);
  const auto writer = opened(settings_for(folder), clock);
  REQUIRE(writer->append(group_of(group(2))));
  REQUIRE(writer->sync());
  const auto reader = open_store_for_reading(settings_for(folder), clock);
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
  const auto reader = open_store_for_reading(settings_for(folder), clock);
  REQUIRE(reader);
  check_holds_groups(**reader, 3);
}

TEST_CASE_METHOD(folder_test, "a store for reading does not lock out a writer") {
  fill(3);
  const auto reader = open_store_for_reading(settings_for(folder), clock);
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
