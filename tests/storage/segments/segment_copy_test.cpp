// The copy of a replicated log in its segments: what it takes, what it loses with the power, and what is damage.

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "storage/records/log_group.hpp"
#include "storage/segments/segment_log.hpp"
#include "tests/storage/error_matcher.hpp"
#include "tests/storage/file_size_limit.hpp"
#include "tests/storage/segments/power_loss.hpp"
#include "tests/storage/segments/segment_support.hpp"
#include "tests/storage/sync_calls.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;
using namespace testing;

// The records of a log as the stream has them, and a copy.
struct segment_copy_test {
  temp_folder temp;
  fs::path folder = fs::canonical(temp.path()) / "log";
  reported_errors errors;
  segment_log_settings settings;
  std::unique_ptr<segment_log> copy;

  std::vector<std::string> stream;
  std::vector<std::uint64_t> hashes;  // of the records of the stream
  position last;
  timestamp time = sample_time;

  segment_copy_test() {
    settings.folder = folder;
    settings.log_id = sample_log_id;
    settings.segment_bytes = 4096;
    settings.entries_kept = std::numeric_limits<std::uint64_t>::max();
    settings.on_error = errors.listener();
    REQUIRE(segment_log::make(settings, position{1}));
    open();
  }

  void open(position synced = {}) {
    copy.reset();
    auto opened = segment_log::open_copy(settings, synced);
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened);
    copy = std::move(*opened);
  }

  std::string framed(log_record_header& header, std::string payload) const {
    header.first = {last.number + 1};
    header.time = time;
    header.hash_before = hashes.empty() ? 0 : hashes.back();
    std::string record(log_record_header_bytes, '\0');
    record += payload;
    frame_log_record(record, header);
    return record;
  }
  void add(log_record_header header, std::string payload) {
    stream.push_back(framed(header, std::move(payload)));
    hashes.push_back(header.hash);
    last = header.last();
  }
  void add_control(log_record_kind kind, std::uint64_t epoch = 3) {
    log_record_header header;
    header.kind = kind;
    header.epoch = epoch;
    add(header, "control");
  }
  void add_group(std::uint32_t count, std::size_t bytes = 0, const std::optional<clock_state>& clock = std::nullopt) {
    std::vector<entry> group;
    for (std::uint32_t i = 1; i <= count; ++i) {
      group.push_back(segment_log_test::entry_at(last.number + i, bytes));
    }
    std::string payload;
    encode_log_group(payload, clock, group);
    log_record_header header;
    header.entries = count;
    header.epoch = 3;
    header.durable = last;  // of the stream: says nothing of this copy
    add(header, std::move(payload));
  }
  void add_some(std::mt19937_64& random, int count) {
    for (int i = 0; i < count; ++i) {
      random() % 3 == 0 ? add_control(log_record_kind::barrier)
                        : add_group(static_cast<std::uint32_t>(1 + random() % 3), random() % 700);
    }
  }

  // Appends what the copy lacks of the stream.
  void read_again() {
    const auto record = copy->last_record();
    const auto found = std::find(hashes.begin(), hashes.end(), record ? record->hash : 0);
    REQUIRE((!record || found != hashes.end()));
    auto next = record ? static_cast<std::size_t>(found - hashes.begin()) + 1 : 0;
    for (; next < stream.size(); ++next) REQUIRE(copy->append_record(stream[next]));
  }
  void check_has_all() const {
    segment_log_test::check_holds(*copy, last.number, std::max(copy->first().number, std::uint64_t{1}));
    REQUIRE(copy->last_record());
    CHECK(copy->last_record()->hash == hashes.back());
  }
  std::vector<fs::path> segments() const { return segments_in(folder); }
};

TEST_CASE_METHOD(segment_copy_test, "a copy has the bytes of the records, and is read as the log of one machine") {
  add_control(log_record_kind::genesis, 0);
  CHECK_FALSE(copy->last_record());
  read_again();
  CHECK(copy->last() == position{0});
  CHECK(copy->first() == position{0});
  CHECK(copy->last_record()->kind == log_record_kind::genesis);
  add_control(log_record_kind::epoch);
  for (int i = 0; i < 40; ++i) {
    add_group(static_cast<std::uint32_t>(1 + i % 3), 150);
    add_control(log_record_kind::barrier);
    read_again();
    REQUIRE(copy->last() == last);  // at once
  }
  check_has_all();
  CHECK(segments().size() > 5);
  std::string bytes;
  for (const fs::path& each : segments()) {
    const std::string file = read_file(each);
    for (const record_place& place : records_in(file)) bytes += file.substr(place.begin, place.end - place.begin);
  }
  std::string expected;
  for (const std::string& each : stream) expected += each;
  CHECK(bytes == expected);
  CHECK(copy->bytes_after({0}).value() <= expected.size());
  CHECK(copy->bytes_after({1}).value() < copy->bytes_after({0}).value());

  open();
  check_has_all();
  CHECK(copy->last_record()->kind == log_record_kind::barrier);
  CHECK(copy->last_record()->epoch == 3);
  CHECK(copy->newest() == sample_time);
  const auto reader = segment_log::open_for_reading(settings);
  REQUIRE(reader);
  segment_log_test::check_holds(**reader, last.number);
  add_group(2);
  read_again();
  check_has_all();
}

TEST_CASE_METHOD(segment_copy_test,
                 "a copy refuses a record that is not whole or not the next one, and stays as it was") {
  add_control(log_record_kind::genesis, 0);
  add_group(2);
  add_group(1);
  add_control(log_record_kind::epoch);
  CHECK(copy->append_record(stream[1]).error().code == error_code::damaged);
  REQUIRE(copy->append_record(stream[0]));
  REQUIRE(copy->append_record(stream[1]));
  CHECK(copy->append_record(stream[1]).error().code == error_code::damaged);
  CHECK(copy->append_record(stream[3]).error().code == error_code::damaged);
  CHECK(copy->append_record({}).error().code == error_code::damaged);
  const std::string& next = stream[2];
  CHECK(copy->append_record(next + stream[3]).error().code == error_code::damaged);
  for (std::size_t size = 0; size < next.size(); ++size) REQUIRE_FALSE(copy->append_record(next.substr(0, size)));
  for (std::size_t bit = 0; bit < 8 * next.size(); ++bit) {
    std::string damaged = next;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    REQUIRE_FALSE(copy->append_record(damaged));
  }
  CHECK(copy->last() == position{2});
  REQUIRE(copy->append_record(next));
  REQUIRE(copy->append_record(stream[3]));
  check_has_all();
  open();
  check_has_all();
}

TEST_CASE_METHOD(segment_copy_test, "control records alone stay in one segment, whose name is that of the next group") {
  add_control(log_record_kind::genesis, 0);
  for (int i = 0; i < 200; ++i) add_control(log_record_kind::barrier);
  read_again();
  CHECK(segments().size() == 1);
  CHECK(copy->last() == position{0});
  open();
  CHECK(copy->last_record()->hash == hashes.back());
  add_group(1);
  add_group(1);
  read_again();
  CHECK(segments().size() == 2);
  check_has_all();
  open();
  check_has_all();
}

TEST_CASE_METHOD(segment_copy_test, "no record of a copy waits for the disk, and sync_to_disk() makes all survive") {
  add_control(log_record_kind::genesis, 0);
  add_group(1);
  read_again();
  const sync_calls syncs;
  add_group(1);
  read_again();
  CHECK_FALSE(syncs.has(segments().back()));
  CHECK(copy->sync() == last);
  CHECK_FALSE(syncs.has(segments().back()));
  CHECK(copy->sync_to_disk() == 0);
  CHECK(syncs.has(segments().back()));
}

TEST_CASE_METHOD(segment_copy_test, "the newest state of the clock is found, in whichever segment it is") {
  add_control(log_record_kind::genesis, 0);
  clock_state clock;
  clock.time = sample_time;
  clock.boot = "boot of the owner";
  add_group(1, 100, clock);
  read_again();
  while (segments().size() < 6) {
    add_group(1, 300);
    read_again();
  }
  open();
  CHECK(copy->clock() == clock);
}

// --- failures ---

TEST_CASE_METHOD(segment_copy_test, "after a failed write a copy takes the record again once it has recovered") {
  add_control(log_record_kind::genesis, 0);
  add_group(1);
  read_again();
  const bool in_a_new_segment = GENERATE(true, false);
  if (in_a_new_segment) {
    while (segments().size() < 2) {
      add_group(1, 900);
      read_again();
    }
    add_group(1, 3800);
  } else {
    add_group(1, 100);
  }
  {
    const file_size_limit full(0);
    CHECK(copy->append_record(stream.back()).error().code == error_code::io_error);
    CHECK(copy->append_record(stream.back()).error().code == error_code::io_error);
    CHECK(copy->recover().error().code == error_code::io_error);
  }
  CHECK(copy->append_record(stream.back()).error().code == error_code::io_error);
  CHECK(copy->last().number == last.number - 1);
  REQUIRE(copy->recover());
  read_again();
  check_has_all();
  open();
  check_has_all();
}

TEST_CASE_METHOD(segment_copy_test, "a copy whose folder was removed says so, for good") {
  add_control(log_record_kind::genesis, 0);
  read_again();
  add_group(1);
  fs::rename(folder, temp.path() / "elsewhere");
  CHECK_THAT(copy->append_record(stream.back()).error(), is_error(error_code::io_error, {"removed or replaced"}));
  CHECK(copy->recover().error().code == error_code::permanent);
}

// --- what a loss of power and damage leave ---

TEST_CASE_METHOD(segment_copy_test, "what a copy loses with the power is read again from the stream") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  power_loss disk(folder);
  add_control(log_record_kind::genesis, 0);
  std::size_t lost = 0;
  position synced;
  for (int round = 0; round < 60; ++round) {
    INFO("round " << round);
    add_some(random, static_cast<int>(random() % 12));
    read_again();
    check_has_all();
    if (random() % 4 == 0) {
      REQUIRE(copy->sync_to_disk() == 0);
      synced = last;
    }
    add_some(random, static_cast<int>(random() % 6));
    read_again();
    copy.reset();
    disk.strike(random);
    open(synced);
    REQUIRE(copy->last() >= synced);
    if (copy->last() < last) ++lost;
    read_again();
    check_has_all();
  }
  CHECK(lost > 5);
}

TEST_CASE_METHOD(segment_copy_test, "a trimmed copy knows its place in the stream after any loss of power") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  settings.entries_kept = 0;
  open();
  add_control(log_record_kind::genesis, 0);
  read_again();
  REQUIRE(copy->sync_to_disk() == 0);
  power_loss disk(folder);
  for (int round = 0; round < 60; ++round) {
    INFO("round " << round);
    add_group(1, 900);
    read_again();
    for (const log_consumer who : {log_consumer::view, log_consumer::sink}) copy->release(who, last);
    copy.reset();
    disk.strike(random);
    open();
    REQUIRE(copy->last_record());
    read_again();
  }
  CHECK(copy->first().number > 30);
}

TEST_CASE_METHOD(segment_copy_test,
                 "damage in the last segment is cut off where the view does not have it, else refused", "[damage]") {
  add_control(log_record_kind::genesis, 0);
  for (int i = 0; i < 4; ++i) {
    add_group(1, 100);
    add_control(log_record_kind::barrier);
  }
  read_again();
  copy.reset();
  const fs::path file = segments().back();
  const std::string whole = read_file(file);
  const auto records = records_in(whole);
  REQUIRE(records.size() == stream.size());
  for (std::size_t which = 0; which < records.size(); ++which) {
    INFO("record " << which);
    std::string damaged = whole;
    const std::size_t at = records[which].begin + 70;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    const std::uint64_t before = which / 2;  // entries before that record
    write_file(file, damaged);
    if (before < last.number) {
      const auto refused = segment_log::open_copy(settings, position{before + 1});
      REQUIRE_FALSE(refused);
      CHECK_THAT(refused.error(), is_error(error_code::damaged, {file.string(), "at byte"}));
      REQUIRE(read_file(file) == damaged);
    }
    open(position{before});
    CHECK(copy->last() == position{before});
    CHECK_FALSE(errors.all().empty());
    read_again();
    check_has_all();
    copy.reset();
    REQUIRE(read_file(file) == whole);
  }
}

TEST_CASE_METHOD(segment_copy_test, "damage in an earlier segment is refused, since it was synced", "[damage]") {
  add_control(log_record_kind::genesis, 0);
  while (segments().size() < 3) {
    add_group(1, 300);
    read_again();
  }
  copy.reset();
  const fs::path file = segments()[1];
  std::string damaged = read_file(file);
  damaged[records_in(damaged).back().begin + 70] ^= 4;
  write_file(file, damaged);
  const auto refused = segment_log::open_copy(settings, position{});
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error(), is_error(error_code::damaged, {file.string()}));
}

}  // namespace
}  // namespace ordem::storage
