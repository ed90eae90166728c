// The store and its clock: the clock continues from the newest record, expired records are dropped only by a time that
// the next start finds again, and no start treats dropped records as damage, whatever the machine's clock shows.

#include <catch2/catch.hpp>

#include "storage/log/store_loader.hpp"
#include "storage/records/capture_record.hpp"
#include "storage/records/clock_record.hpp"
#include "tests/storage/capture_entries.hpp"
#include "tests/storage/error_matcher.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/storage/tampering.hpp"

namespace ordem::storage {
namespace {

using namespace testing;
using std::chrono::hours;
using std::chrono::minutes;

const capture_key first_key = key_of("first-AA");
const capture_key later_key = key_of("later-AA");

struct clock_test {
  temp_folder temp;
  std::filesystem::path folder = temp.path() / "data";
  manual_machine machine;
  std::optional<engine_clock> clock;
  std::unique_ptr<test_store> opened_store;

  void stop() {
    opened_store.reset();
    clock.reset();
  }
  void start() {
    stop();
    clock.emplace(machine.sources());
    opened_store = opened(settings_for(folder), *clock);
  }
  bool starts() {
    stop();
    clock.emplace(machine.sources());
    return try_open(settings_for(folder), *clock).has_value();
  }
  void write(const entry& what) {
    REQUIRE(opened_store->append(std::vector<entry>{what}));
    REQUIRE(opened_store->sync());
  }
  void allocate(const capture_key& key) { write(allocation_entry(key, clock->now())); }
  message_entry create(std::uint64_t number) {
    message_entry made = entry_of(creation(guid_of(number)), nullptr, order_id_of(number), clock->now());
    write(made);
    return made;
  }
  bool is_kept(const capture_key& key) { return opened_store->find_capture(key, clock->read()).value() != nullptr; }
  bool is_kept(const guid& id) { return opened_store->find_message(id, clock->read()).value().has_value(); }

  // Returns the captures that are left after a compaction with the store's filter.
  std::size_t captures_left() {
    opened_store->close();
    std::size_t count = 0;
    expired_record_filter expired(*clock);
    const timestamp newest = opened_store->read_log(opened_store->last(), 1).value().front().at();
    opened_store.reset();
    expired.confirm_durable(newest);
    tamper(folder, families_of(settings_for(folder), expired), [&](auto& db, auto handle) {
      auto* captures = handle(family::captures);
      REQUIRE(db.CompactRange({}, captures, nullptr, nullptr).ok());
      const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator({}, captures));
      for (at->SeekToFirst(); at->Valid(); at->Next()) ++count;
    });
    return count;
  }
};

// --- the clock continues ---

TEST_CASE_METHOD(clock_test, "after a start the time is not before the newest record, of whatever kind it is") {
  start();
  machine.pass(hours(1));
  const bool is_order = GENERATE(true, false);
  is_order ? void(create(1)) : allocate(first_key);
  if (GENERATE(true, false)) machine.boot_again();
  machine.set(timestamp(minutes(1)));
  start();
  CHECK(clock->now() == sample_time + hours(1));
}

TEST_CASE_METHOD(clock_test, "records from before a step are kept across restarts, and no longer than they should be") {
  start();
  const message_entry made = create(1);
  machine.set_by(hours(24 * 6));
  create(2);
  for (int i = 0; i < 2; ++i) {
    if (GENERATE(true, false)) machine.boot_again();
    start();
    CHECK(is_kept(made.guid));
  }
  std::size_t scanned = 0;
  REQUIRE(
      opened_store->scan_messages(clock->read(), [&](const guid&, const message_record&) { return ++scanned > 0; }));
  CHECK(scanned == 2);
  machine.pass(sample_ttl);
  CHECK_FALSE(is_kept(made.guid));
}

TEST_CASE_METHOD(clock_test, "after two days of downtime nothing expires at once, unless the time was counted") {
  start();
  const message_entry made = create(1);
  allocate(first_key);
  const bool boots = GENERATE(true, false);
  if (boots) {
    machine.set_by(hours(48));
    machine.boot_again();
  } else {
    machine.pass(hours(48));
  }
  start();
  CHECK(is_kept(made.guid) == boots);
  CHECK(is_kept(first_key) == boots);
  machine.pass(sample_ttl);
  CHECK_FALSE(is_kept(made.guid));
  CHECK_FALSE(is_kept(first_key));
}

TEST_CASE_METHOD(clock_test, "a folder opened for reading has the clock of its writer") {
  start();
  const message_entry made = create(1);
  machine.set_by(hours(25));
  create(2);
  engine_clock readers(machine.sources());
  const auto reader = try_open_for_reading(settings_for(folder), readers);
  REQUIRE(reader);
  CHECK((*reader)->find_message(made.guid, readers.read()).value());
  machine.pass(sample_ttl);
  CHECK_FALSE((*reader)->find_message(made.guid, readers.read()).value());
}

TEST_CASE_METHOD(clock_test,
                 "the clock of a loaded folder continues from the newest record or from the time of the load") {
  const timestamp newest = sample_time + GENERATE(as<milliseconds>{}, hours(5), -hours(5));
  engine_clock loading(machine.sources());
  auto loader = load_new_store(settings_for(folder), "6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c", loading);
  REQUIRE(loader);
  const message_entry made = entry_of(creation(guid_of("k")), nullptr, order_id_of(1), newest);
  (*loader)->put_order(*made.after);
  (*loader)->put_message(made.guid, made.record);
  REQUIRE((*loader)->finish({1}));
  loader->reset();
  machine.set(timestamp(minutes(1)));
  start();
  CHECK(clock->now() == std::max(newest, sample_time));
  CHECK(opened_store->newest_order() == order_id_of(1));
}

TEST_CASE_METHOD(clock_test, "a state of the clock that a loader kept and that can't be read is damage") {
  {
    engine_clock loading(machine.sources());
    REQUIRE(load_new_store(settings_for(folder), "6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c", loading).value()->finish({1}));
  }
  tamper(folder, [](auto& db, auto) { REQUIRE(db.Put({}, db.DefaultColumnFamily(), "clock", "nonsense").ok()); });
  clock.emplace(machine.sources());
  const auto result = try_open(settings_for(folder), *clock);
  REQUIRE_FALSE(result);
  CHECK_THAT(result.error(), is_error(error_code::damaged, {"clock"}));
}

// --- dropped records are no damage ---

TEST_CASE_METHOD(clock_test, "a clock that was two days ahead and is corrected drops nothing, and the start succeeds") {
  start();
  allocate(first_key);
  machine.set_by(hours(48));
  if (GENERATE(true, false)) start();
  allocate(later_key);
  CHECK(captures_left() == 2);
  machine.set_by(-hours(48));
  if (GENERATE(true, false)) machine.boot_again();
  start();
  CHECK(is_kept(first_key));
  CHECK(is_kept(later_key));
}

TEST_CASE_METHOD(clock_test,
                 "expired records are dropped by the time of the newest record, and any later start knows that") {
  start();
  allocate(first_key);
  machine.pass(sample_terms.ttl);
  allocate(later_key);
  CHECK_FALSE(is_kept(first_key));
  CHECK(captures_left() == 1);
  if (GENERATE(true, false)) machine.boot_again();
  machine.set(timestamp(minutes(1)));
  CHECK(starts());
}

TEST_CASE_METHOD(clock_test, "while nothing is written nothing is dropped, so no start misses a record") {
  start();
  allocate(first_key);
  machine.pass(2 * sample_terms.ttl);
  CHECK_FALSE(is_kept(first_key));
  CHECK(captures_left() == 1);
  machine.boot_again();
  machine.set(timestamp(minutes(1)));
  CHECK(starts());
}

TEST_CASE_METHOD(clock_test, "the filter drops nothing before confirm_durable") {
  start();
  expired_record_filter expired(*clock);
  std::string record;
  encode_capture(record, *allocated_at(sample_time));
  const auto drops = [&] { return expired.Filter(0, {}, record, nullptr, nullptr); };
  machine.pass(sample_terms.ttl);
  CHECK_FALSE(drops());
  expired.confirm_durable(sample_time + sample_terms.ttl - milliseconds(1));
  CHECK_FALSE(drops());
  expired.confirm_durable(sample_time + sample_terms.ttl);
  CHECK(drops());
}

}  // namespace
}  // namespace ordem::storage
