// A torn or damaged end of the write-ahead log in a folder of data format 4: an upgrade either has all acknowledged
// writes or fails. A torn record was never acknowledged, and the upgrade drops it.
//
// The database is written as the release with that format wrote it: one record of the write-ahead log for each group,
// with log_end_mark at its end.

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "storage/folder/local_store.hpp"
#include "storage/records/keys.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/wal_scan.hpp"
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

constexpr std::size_t block_bytes = 32 * 1024;
constexpr std::size_t header_bytes = 7;

struct log_record {
  std::size_t begin = 0;  // of the first part
  std::size_t end = 0;
  std::vector<std::size_t> headers;
};

// Returns the records of an undamaged log.
std::vector<log_record> records_of(const std::string& log) {
  std::vector<log_record> all;
  bool inside = false;
  for (std::size_t at = 0; at + header_bytes <= log.size();) {
    if (block_bytes - at % block_bytes < header_bytes) {
      at += block_bytes - at % block_bytes;
      continue;
    }
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(log[at + i]); };
    const std::size_t end = at + header_bytes + byte(4) + 256U * byte(5);
    REQUIRE(end <= log.size());
    if (!inside) all.push_back({at, end, {}});
    all.back().end = end;
    all.back().headers.push_back(at);
    inside = byte(6) == 2 || byte(6) == 3;
    at = end;
  }
  REQUIRE_FALSE(inside);
  return all;
}

// A folder as `kill -9` leaves it, with one record of the log for each group.
struct torn_log_test {
  temp_folder temp;
  manual_clock clock;
  fs::path folder = temp.path() / "data";
  std::uint64_t copies = 0;
  const std::uint64_t seed = seed_of_run();
  std::mt19937_64 random{seed};

  // The database of a folder, opened for an upgrade.
  struct old_database {
    old_database(const fs::path& data_folder, const time_source& clock, reported_errors* errors = nullptr)
        : settings(view_settings_of(settings_for(data_folder), view_access::upgrade)), expired(clock), db(settings) {
      if (errors != nullptr) settings.on_error = errors->listener();
      settings.write_buffer_bytes = std::size_t{64} << 20;  // all of it stays in the write-ahead log
      opened = db.open(view_access::upgrade, expired);
    }
    view_settings settings;
    expired_record_filter expired;
    database db;
    result<void> opened;

    static std::string key_of(std::uint64_t number) { return encoded(encode_order_key, order_id_of(number)); }
    void write(std::uint64_t number, std::size_t bytes) const {
      rocksdb::WriteBatch batch;
      REQUIRE(batch.Put(db.handle(family::orders), key_of(number), std::string(bytes, 'o')).ok());
      REQUIRE(batch.Put(db.old_log_handle(), encoded(encode_log_key, position{number + 1}), "group").ok());
      REQUIRE(batch.PutLogData(rocksdb::Slice(log_end_mark.data(), log_end_mark.size())).ok());
      rocksdb::WriteOptions durably;
      durably.sync = true;
      REQUIRE(db->Write(durably, &batch).ok());
    }
    bool has(std::uint64_t number) const {
      std::string found;
      return db->Get({}, db.handle(family::orders), key_of(number), &found).ok();
    }
    void check_holds(std::uint64_t groups) const {
      for (std::uint64_t i = 0; i < groups; ++i) REQUIRE(has(i));
      REQUIRE_FALSE(has(groups));
    }
  };

  // Every tenth group is so large that its record spans blocks.
  void fill(std::uint64_t groups) {
    const old_database to(folder, clock);
    REQUIRE(to.opened);
    for (std::uint64_t i = 0; i < groups; ++i) to.write(i, i % 10 == 9 ? 60'000 : 600);
  }

  fs::path wal() const {
    fs::path largest;
    for (const auto& each : fs::directory_iterator(folder / "db")) {
      if (each.path().extension() != ".log") continue;
      if (largest.empty() || fs::file_size(each.path()) > fs::file_size(largest)) largest = each.path();
    }
    REQUIRE_FALSE(largest.empty());
    return largest;
  }

  // Makes a copy of the folder with this log.
  fs::path copy_with(const std::string& log) {
    const fs::path copy = temp.path() / std::to_string(copies++);
    fs::copy(folder, copy, fs::copy_options::recursive);
    std::ofstream(copy / "db" / wal().filename(), std::ios::binary) << log;
    return copy;
  }
  static std::string log_in(const fs::path& copy, const fs::path& log) {
    return read_file(copy / "db" / log.filename());
  }

  // Checks that the database opens with this many groups, for good.
  void check_opens_with(const std::string& log, std::uint64_t groups) {
    INFO("ORDEM_SEED=" << seed);
    const fs::path copy = copy_with(log);
    {
      const old_database opened(copy, clock);
      INFO((opened.opened ? "" : opened.opened.error().message));
      REQUIRE(opened.opened);
      opened.check_holds(groups);
      opened.write(groups, 100);
    }
    {
      const old_database again(copy, clock);
      REQUIRE(again.opened);
      again.check_holds(groups + 1);
    }
    fs::remove_all(copy);  // not before RocksDB's threads have ended, which remove files too
  }

  // Opens a copy of the folder with this log, which must fail and leave the log unchanged. Returns the error.
  error open_error_of(const std::string& log) {
    const fs::path copy = copy_with(log);
    const old_database opened(copy, clock);
    REQUIRE_FALSE(opened.opened);  // so no thread of RocksDB runs
    CHECK(log_in(copy, wal()) == log);
    fs::remove_all(copy);
    return opened.opened.error();
  }
  // Checks that the database fails to open or has everything.
  void check_refused_or_whole(const std::string& log, std::uint64_t groups) {
    INFO("ORDEM_SEED=" << seed);
    const fs::path copy = copy_with(log);
    {
      const old_database opened(copy, clock);
      if (opened.opened) opened.check_holds(groups);
    }
    fs::remove_all(copy);
  }

  std::size_t drawn(std::size_t from, std::size_t to) { return from + random() % (to - from); }
};

TEST_CASE_METHOD(torn_log_test, "a write-ahead log that is damaged in the middle is refused, and does not change",
                 "[damage]") {
  fill(60);
  const std::string whole = read_file(wal());
  REQUIRE(whole.size() > 3 * block_bytes);
  const double place = GENERATE(0.1, 0.3, 0.5);
  std::string damaged = whole;
  const auto at = static_cast<std::size_t>(place * static_cast<double>(whole.size()));
  for (std::size_t i = at; i < at + 64; ++i) damaged[i] = static_cast<char>(~damaged[i]);
  CHECK_THAT(open_error_of(damaged), is_error(error_code::damaged));
  check_opens_with(whole, 60);
}

TEST_CASE_METHOD(torn_log_test,
                 "no single inverted byte before the last block of a write-ahead log silently drops a record",
                 "[damage]") {
  fill(40);
  const std::string whole = read_file(wal());
  REQUIRE(whole.size() > 2 * block_bytes);
  for (std::size_t rounds = sampled(40).size(); rounds > 0; --rounds) {
    std::string damaged = whole;
    const std::size_t at = drawn(0, whole.size() - whole.size() % block_bytes);
    damaged[at] = static_cast<char>(~damaged[at]);
    INFO("byte " << at << " of " << whole.size());
    check_refused_or_whole(damaged, 40);
  }
}

TEST_CASE_METHOD(torn_log_test, "a record that looks like one of a recycled file is damage, not the log's end",
                 "[damage]") {
  fill(20);
  std::string damaged = read_file(wal());
  const std::size_t record = records_of(damaged)[2].begin;
  constexpr std::size_t type_offset = 6;
  REQUIRE(damaged[record + type_offset] == 1);
  damaged[record + type_offset] = 5;
  CHECK_THAT(open_error_of(damaged), is_error(error_code::damaged, {"byte " + std::to_string(record)}));
}

TEST_CASE_METHOD(torn_log_test, "a damaged record before whole ones is damage, also in the last block", "[damage]") {
  fill(28);
  std::string damaged = read_file(wal());
  const std::size_t last_block = damaged.size() - damaged.size() % block_bytes;
  const std::size_t at = last_block + (damaged.size() - last_block) / 3;
  damaged[at] = static_cast<char>(~damaged[at]);
  CHECK_THAT(open_error_of(damaged), is_error(error_code::damaged));
}

TEST_CASE_METHOD(torn_log_test,
                 "zeros over a record's header with whole records behind it are damage, in the last block too",
                 "[damage]") {
  fill(128);
  const std::string whole = read_file(wal());
  const auto records = records_of(whole);
  // Without the check, RocksDB would drop ninety-nine acknowledged orders, the rest of an earlier block, or two orders.
  const std::size_t which = GENERATE(28U, 3U, 126U);
  std::string damaged = whole;
  std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(records[which].headers[0]), header_bytes, '\0');
  CHECK_THAT(open_error_of(damaged),
             is_error(error_code::damaged, {"byte " + std::to_string(records[which].headers[0])}));
}

TEST_CASE_METHOD(torn_log_test, "a last record that was cut short is dropped, wherever it was cut", "[damage]") {
  const std::uint64_t groups = GENERATE(12U, 20U);  // the last record is a small one, or one that spans blocks
  fill(groups);
  const std::string whole = read_file(wal());
  const auto last = records_of(whole).back();
  REQUIRE((last.headers.size() > 1) == (groups == 20));
  for (const int i : sampled(20)) {
    const std::size_t size = i < 10 ? last.begin + static_cast<std::size_t>(i) : drawn(last.begin, last.end);
    INFO("cut to " << size << " of " << whole.size());
    check_opens_with(whole.substr(0, size), groups - 1);
  }
}

TEST_CASE_METHOD(torn_log_test, "a last record whose end is zeros is dropped, wherever they begin", "[damage]") {
  const std::uint64_t groups = GENERATE(12U, 20U);
  fill(groups);
  const std::string whole = read_file(wal());
  const auto last = records_of(whole).back();
  for (const int i : sampled(30)) {
    // The file system may have allocated more than was written.
    const std::size_t allocated =
        std::array{std::size_t{0}, std::size_t{5000}, 3 * block_bytes}[static_cast<std::size_t>(i) % 3];
    std::size_t from = i < 10 ? last.begin + static_cast<std::size_t>(i) : drawn(last.begin, last.end);
    if (i >= 10 && i < 20) from = last.end - static_cast<std::size_t>(i - 9);
    std::string torn = whole;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(from), torn.end(), '\0');
    torn.append(allocated, '\0');
    INFO("zeros from " << from << " to " << torn.size() << ", the record from " << last.begin);
    check_opens_with(torn, groups - 1);
  }
}

TEST_CASE_METHOD(torn_log_test, "zeros after a whole last record are no damage and drop nothing", "[damage]") {
  fill(12);
  const std::size_t allocated = GENERATE(1U, 6U, 7U, 4096U, 100'000U);
  check_opens_with(read_file(wal()) + std::string(allocated, '\0'), 12);
}

TEST_CASE_METHOD(torn_log_test, "a last record with garbage in it is damage: it may have been acknowledged",
                 "[damage]") {
  const std::uint64_t groups = GENERATE(12U, 20U);
  fill(groups);
  const std::string whole = read_file(wal());
  const auto last = records_of(whole).back();
  for (const int i : sampled(30)) {
    const std::size_t from = drawn(last.begin, last.end);
    const std::size_t count = i % 2 == 0 ? 1 : whole.size() - from;
    std::string garbled = whole;
    for (std::size_t at = from; at < from + count; ++at) garbled[at] = static_cast<char>(drawn(0, 256));
    if (garbled == whole) continue;
    INFO("garbage from " << from << " to " << from + count << ", the record from " << last.begin);
    check_refused_or_whole(garbled, groups);
  }
}

TEST_CASE_METHOD(torn_log_test, "no inverted bit of a header in the last block silently drops a record", "[damage]") {
  fill(36);
  const std::string whole = read_file(wal());
  const std::size_t last_block = whole.size() - whole.size() % block_bytes;
  std::vector<std::size_t> headers;
  for (const auto& each : records_of(whole)) {
    std::copy_if(each.headers.begin(), each.headers.end(), std::back_inserter(headers),
                 [&](std::size_t at) { return at >= last_block; });
  }
  REQUIRE(headers.size() > 2);
  for (const int i : sampled(90)) {
    const std::size_t header = i < 56 ? headers.back() : headers[drawn(0, headers.size())];
    const std::size_t bit = i < 56 ? static_cast<std::size_t>(i) : drawn(0, 8 * header_bytes);
    std::string damaged = whole;
    damaged[header + bit / 8] = static_cast<char>(damaged[header + bit / 8] ^ 1 << bit % 8);
    INFO("bit " << bit << " of the header at " << header << " of " << whole.size());
    check_refused_or_whole(damaged, 36);
  }
}

TEST_CASE_METHOD(torn_log_test, "a few bytes of garbage after the last record, too few for a record, are dropped",
                 "[damage]") {
  fill(12);
  for (std::size_t count = 1; count < header_bytes; ++count) {
    check_opens_with(read_file(wal()) + std::string(count, '\x2a'), 12);
  }
}

TEST_CASE_METHOD(torn_log_test, "a torn record is cut off and reported", "[damage]") {
  fill(12);
  const std::string whole = read_file(wal());
  const auto last = records_of(whole).back();
  std::string torn = whole;
  std::fill(torn.begin() + static_cast<std::ptrdiff_t>(last.begin + 40), torn.end(), '\0');
  const fs::path copy = copy_with(torn);
  reported_errors errors;
  REQUIRE(old_database(copy, clock, &errors).opened);
  REQUIRE(errors.all().size() == 1);
  CHECK_THAT(errors.all()[0], Contains("byte " + std::to_string(last.begin)) && Contains("never acknowledged"));
}

TEST_CASE_METHOD(torn_log_test, "zeros at the end of a log that is not the last are damage", "[damage]") {
  fill(12);
  const std::string whole = read_file(wal());
  const auto last = records_of(whole).back();
  const fs::path copy = copy_with(whole.substr(0, last.end - 20) + std::string(20, '\0'));
  std::ofstream(copy / "db" / "999999.log", std::ios::binary) << whole.substr(0, last.begin);
  const old_database opened(copy, clock);
  REQUIRE_FALSE(opened.opened);
  CHECK_THAT(opened.opened.error(), is_error(error_code::damaged));
}

}  // namespace
}  // namespace ordem::storage
