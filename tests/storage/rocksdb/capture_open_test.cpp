// The check at start: captures must be what the log made of them, unless they have expired.

#include <catch2/catch.hpp>

#include "storage/log/store.hpp"
#include "storage/records/capture_record.hpp"
#include "storage/records/keys.hpp"
#include "tests/storage/capture_entries.hpp"
#include "tests/storage/error_matcher.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/storage/tampering.hpp"

namespace ordem::storage {
namespace {

using namespace testing;
using Catch::Matchers::Contains;

const capture_key allocated_key = key_of("allocated-AA");
const capture_key recorded_key = key_of("recorded");
const capture_key released_key = key_of("released");

struct capture_open_test {
  temp_folder temp;
  manual_clock clock;
  std::filesystem::path folder = temp.path() / "data";

  // Writes a capture of each state, and an order among them.
  capture_open_test() {
    const auto store = opened(settings_for(folder), clock);
    REQUIRE(store->append(std::vector<entry>{allocation_entry(allocated_key), allocation_entry(recorded_key),
                                             allocation_entry(released_key), create_entry(1)}));
    REQUIRE(store->append(std::vector<entry>{record_entry(recorded_key, "r"), release_entry(released_key)}));
    REQUIRE(store->sync());
    store->close();  // writes the captures to files
  }

  void put(const capture_key& key, const std::string& record) {
    tamper(folder,
           [&](auto& db, auto handle) { REQUIRE(db.Put({}, handle(family::captures), record_key(key), record).ok()); });
  }
  void put(const capture_key& key, const shared_capture& what) {
    std::string record;
    encode_capture(record, *what);
    put(key, record);
  }
  void remove(const capture_key& key) {
    tamper(folder,
           [&](auto& db, auto handle) { REQUIRE(db.Delete({}, handle(family::captures), record_key(key)).ok()); });
  }
  static std::string record_key(const capture_key& key) {
    std::string bytes;
    encode_capture_key(bytes, {}, key);
    return bytes;
  }

  bool opens() { return try_open(settings_for(folder), clock).has_value(); }
  error failure_to_open() {
    auto result = try_open(settings_for(folder), clock);
    REQUIRE_FALSE(result);
    return std::move(result.error());
  }
};

TEST_CASE_METHOD(capture_open_test, "captures that are what the log made of them are opened") {
  CHECK(opens());
  // Writes each capture again, unchanged.
  put(allocated_key, allocated_at(sample_time));
  put(recorded_key, recorded_at(sample_time, response_of("r")));
  CHECK(opens());
}

TEST_CASE_METHOD(capture_open_test, "a folder without a capture that the log has is not opened, and the key is named") {
  const auto key = GENERATE(allocated_key, recorded_key);
  remove(key);
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {std::string(key.view())}));
}

TEST_CASE_METHOD(capture_open_test,
                 "a folder with a capture that the log gave up is not opened, and the key is named") {
  put(released_key, allocated_at(sample_time));
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {"released"}));
}

TEST_CASE_METHOD(capture_open_test, "a folder whose capture differs from the log is not opened") {
  const auto [key, record] = GENERATE(table<capture_key, shared_capture>({
      {allocated_key, allocated_at(sample_time + milliseconds(1))},
      {allocated_key, recorded_at(sample_time, response_of("r"))},
      {recorded_key, recorded_at(sample_time, response_of("s"))},
      {recorded_key, recorded_at(sample_time, response_of("r", 201))},
      {recorded_key, allocated_at(sample_time)},  // as the log had it before
  }));
  put(key, record);
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {std::string(key.view())}));
}

TEST_CASE_METHOD(capture_open_test, "a folder whose capture can't be read is not opened") {
  put(recorded_key, std::string("nonsense"));
  CHECK_THAT(failure_to_open(), is_error(error_code::damaged, {"recorded"}));
}

TEST_CASE_METHOD(capture_open_test, "a capture may be missing once it has expired, and not before") {
  remove(allocated_key);
  remove(recorded_key);
  clock.advance(sample_terms.ttl - milliseconds(1));
  failure_to_open();
  clock.advance(milliseconds(1));
  CHECK(opens());
}

TEST_CASE_METHOD(capture_open_test,
                 "a capture has also expired by the time of the newest record, whatever the machine's clock shows") {
  manual_machine machine;
  {
    engine_clock writing(machine.sources());
    const auto store = opened(settings_for(folder), writing);
    const timestamp newest = sample_time + sample_terms.ttl;
    REQUIRE(store->append(std::vector<entry>{allocation_entry(key_of("newest"), newest)}));
    REQUIRE(store->sync());
    if (GENERATE(true, false)) store->close();
  }
  remove(allocated_key);
  remove(recorded_key);
  machine.set_by(-std::chrono::hours(48));
  engine_clock later(machine.sources());
  CHECK(try_open(settings_for(folder), later));
}

TEST_CASE_METHOD(capture_open_test, "captures that a compaction dropped after their expiry are no damage") {
  const auto captures_left = [this] {
    expired_record_filter expired(clock);
    expired.confirm_durable(clock.now());
    std::size_t count = 0;
    tamper(folder, families_of(settings_for(folder), expired), [&](auto& db, auto handle) {
      auto* captures = handle(family::captures);
      REQUIRE(db.Flush({}, captures).ok());
      REQUIRE(db.CompactRange({}, captures, nullptr, nullptr).ok());
      const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator({}, captures));
      for (at->SeekToFirst(); at->Valid(); at->Next()) ++count;
    });
    return count;
  };
  clock.advance(sample_terms.ttl - milliseconds(1));
  CHECK(captures_left() == 2);
  CHECK(opens());
  clock.advance(milliseconds(1));
  CHECK(captures_left() == 0);
  CHECK(opens());
}

TEST_CASE_METHOD(capture_open_test,
                 "a capture that can't be read is a failed read and a failed scan, each reported once") {
  {
    // More entries than the start checks.
    const auto store = opened(settings_for(folder), clock);
    for (std::uint64_t i = 1; i <= 4200; ++i) REQUIRE(store->append(std::vector<entry>{allocation_entry(key_of(i))}));
    REQUIRE(store->sync());
    store->close();
  }
  put(recorded_key, std::string("nonsense"));
  auto settings = settings_for(folder);
  std::vector<std::string> errors;
  settings.on_error = [&](std::string_view what) { errors.emplace_back(what); };
  const auto store = opened(std::move(settings), clock);
  CHECK_FALSE(store->find_capture(recorded_key, sample_time));
  CHECK(store->find_capture(allocated_key, sample_time));
  CHECK_FALSE(store->scan_captures(sample_time, [](const capture_key&, const shared_capture&) { return true; }));
  REQUIRE(errors.size() == 2);
  CHECK_THAT(errors[0], Contains("captures") && Contains("recorded") && Contains("damaged"));
  CHECK_THAT(errors[1], Contains("captures") && Contains("damaged"));
}

}  // namespace
}  // namespace ordem::storage
