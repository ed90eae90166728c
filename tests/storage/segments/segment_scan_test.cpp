// The end of a segment, byte by byte: what is the end, what was torn off, and what is damage.

#include "storage/segments/segment_scan.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "storage/records/log_group.hpp"
#include "storage/records/log_record.hpp"
#include "tests/storage/capture_entries.hpp"
#include "tests/storage/segments/power_loss.hpp"
#include "tests/storage/segments/segment_support.hpp"

namespace ordem::storage {
namespace {

using namespace testing;

// Builds a segment in memory, as the log writes it.
struct built_segment {
  segment_header header{sample_log_id, {1}, 0, 0};
  std::string content;
  std::vector<record_place> records;
  std::uint64_t hash = 0;
  position last;
  position durable;

  built_segment() { encode_segment_header(content, header); }

  // Adds the record of one entry. `bytes`: of the record.
  void add(std::size_t bytes, const std::optional<clock_state>& clock = std::nullopt) {
    constexpr std::size_t other_bytes = 150;
    REQUIRE(bytes >= other_bytes);
    std::string record;
    for (std::size_t body = bytes - other_bytes; record.size() < bytes; ++body) {
      record.assign(log_record_header_bytes, '\0');
      const std::vector<entry> group = {record_entry(key_of(last.number + 1), std::string(body, 'x'))};
      encode_log_group(record, clock, group);
      log_record_header next;
      next.entries = 1;
      next.epoch = 1;
      next.first = {last.number + 1};
      next.time = sample_time;
      next.durable = durable;
      next.hash_before = hash;
      frame_log_record(record, next);
      if (record.size() >= bytes) hash = next.hash;
    }
    records.push_back({content.size(), content.size() + record.size()});
    content += record;
    ++last.number;
  }
  void add_control(log_record_kind kind, std::uint64_t epoch, std::uint32_t entries = 0) {
    std::string record = std::string(log_record_header_bytes, '\0') + "control";
    log_record_header next;
    next.kind = kind;
    next.entries = entries;
    next.epoch = epoch;
    next.first = {last.number + 1};
    next.time = sample_time + milliseconds(1);
    next.hash_before = hash;
    frame_log_record(record, next);
    hash = next.hash;
    records.push_back({content.size(), content.size() + record.size()});
    content += record;
  }
  void sync() { durable = last; }
  // Returns the file with zeros up to the whole size.
  std::string filled(const std::string& bytes) const {
    std::string file = bytes;
    file.resize(std::max<std::size_t>(16384, bytes.size()), '\0');
    return file;
  }
  segment_scan scan(const std::string& file) const { return scan_segment(header, file); }
};

TEST_CASE("a segment without records is at its end, with or without zeros behind its header") {
  built_segment segment;
  for (const std::string& file : {segment.content, segment.filled(segment.content)}) {
    const segment_scan scanned = segment.scan(file);
    CHECK(scanned.tail == segment_tail::end);
    CHECK(scanned.end == segment_header_bytes);
    CHECK(scanned.last == position{0});
    CHECK(scanned.groups.empty());
    CHECK_FALSE(scanned.record);
  }
}

TEST_CASE("a scan finds each record, the newest clock and the hash of the last record") {
  built_segment segment;
  clock_state clock;
  clock.time = sample_time;
  clock.boot = "boot";
  segment.add(200, clock);
  clock.boot = "later boot";
  segment.add(700, clock);
  segment.add(1500);
  for (const std::string& file : {segment.content, segment.filled(segment.content)}) {
    const segment_scan scanned = segment.scan(file);
    CHECK(scanned.tail == segment_tail::end);
    CHECK(scanned.end == segment.content.size());
    CHECK(scanned.last == position{3});
    CHECK(scanned.hash == segment.hash);
    CHECK(scanned.record.value().time == sample_time);
    CHECK(scanned.record->first == position{3});
    CHECK(scanned.clock == clock);
    REQUIRE(scanned.groups.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(scanned.groups[i].first == position{i + 1});
      CHECK(scanned.groups[i].offset == segment.records[i].begin);
    }
  }
}

// Where the record begins in its sector, as any sum of earlier records may have it.
const std::vector<std::size_t> offsets_in_sector = [] {
  std::vector<std::size_t> all;
  for (std::size_t at = 0; at < sector_bytes; at += log_record_alignment) all.push_back(at);
  return all;
}();

// A durable record, and one that is not, which begins at that place in its sector.
built_segment with_unsynced(std::size_t offset, std::size_t bytes) {
  built_segment segment;
  segment.add(sector_bytes + offset);
  segment.sync();
  segment.add(bytes);
  REQUIRE(segment.records.back().begin % sector_bytes == offset);
  return segment;
}

void check_torn(const built_segment& segment, const std::string& file, std::uint64_t records) {
  const segment_scan scanned = segment.scan(file);
  CHECK(scanned.tail == segment_tail::torn);
  CHECK(scanned.last == position{records});
  CHECK(scanned.end == segment.records[records - 1].end);
}

TEST_CASE("a record of which any one sector is missing is torn, wherever it begins") {
  for (const std::size_t offset : offsets_in_sector) {
    for (const std::size_t bytes : {160U, 600U, 1700U}) {
      const built_segment segment = with_unsynced(offset, bytes);
      const record_place last = segment.records.back();
      for (std::size_t sector = last.begin / sector_bytes; sector * sector_bytes < last.end; ++sector) {
        std::string file = segment.filled(segment.content);
        const std::size_t from = std::max(last.begin, sector * sector_bytes);
        const std::size_t to = std::min(last.end, (sector + 1) * sector_bytes);
        std::fill(file.begin() + static_cast<std::ptrdiff_t>(from), file.begin() + static_cast<std::ptrdiff_t>(to),
                  '\0');
        INFO("the record is at " << last.begin << " to " << last.end << ", zeros at " << from << " to " << to);
        if (from == last.begin && to == last.end) {
          CHECK(segment.scan(file).tail == segment_tail::end);
        } else {
          check_torn(segment, file, 1);
        }
      }
    }
  }
}

TEST_CASE("a record of which the sectors from one on are missing is torn, wherever it begins") {
  for (const std::size_t offset : offsets_in_sector) {
    for (const std::size_t bytes : {160U, 600U, 1700U}) {
      const built_segment segment = with_unsynced(offset, bytes);
      const record_place last = segment.records.back();
      for (std::size_t from = (last.begin / sector_bytes + 1) * sector_bytes; from < last.end; from += sector_bytes) {
        INFO("the record is at " << last.begin << " to " << last.end << ", zeros from " << from);
        check_torn(segment, segment.filled(segment.content.substr(0, from)), 1);
      }
    }
  }
}

// As a copy of the file may end anywhere, or a file system that has other units than sectors.
TEST_CASE("a record whose file ends anywhere in it is torn") {
  const built_segment segment = with_unsynced(GENERATE(0U, 8U, 456U, 504U), GENERATE(160U, 700U));
  const record_place last = segment.records.back();
  for (std::size_t size = last.begin + 1; size < last.end; ++size) {
    INFO("the record is at " << last.begin << " to " << last.end << ", the file ends at " << size);
    check_torn(segment, segment.content.substr(0, size), 1);
  }
}

TEST_CASE("of several records that were not synced, those before a torn one stay") {
  built_segment segment;
  segment.add(800);
  segment.sync();
  for (int i = 0; i < 3; ++i) segment.add(700);
  const std::size_t which = GENERATE(1U, 2U, 3U);
  const record_place torn = segment.records[which];
  for (std::size_t at = (torn.begin + sector_bytes - 1) / sector_bytes * sector_bytes; at + sector_bytes <= torn.end;
       at += sector_bytes) {
    std::string file = segment.filled(segment.content);
    file.replace(at, sector_bytes, sector_bytes, '\0');
    check_torn(segment, file, which);
  }
}

TEST_CASE("a missing sector of a record that a later record says was durable is damage") {
  built_segment segment;
  segment.add(800);
  segment.add(1200);
  segment.sync();
  segment.add(300);
  const record_place second = segment.records[1];
  for (std::size_t sector = second.begin / sector_bytes; sector * sector_bytes < second.end; ++sector) {
    std::string file = segment.filled(segment.content);
    const std::size_t from = std::max(second.begin, sector * sector_bytes);
    const std::size_t to = std::min(second.end, (sector + 1) * sector_bytes);
    std::fill(file.begin() + static_cast<std::ptrdiff_t>(from), file.begin() + static_cast<std::ptrdiff_t>(to), '\0');
    const segment_scan scanned = segment.scan(file);
    CHECK(scanned.tail == segment_tail::damaged);
    CHECK(scanned.end == second.begin);
  }
}

TEST_CASE("an inverted bit is damage in any record, the last one too, and the scan ends before it") {
  built_segment segment;
  for (int i = 0; i < 3; ++i) {
    segment.add(160);
    segment.sync();
  }
  const std::string whole = segment.filled(segment.content);
  for (std::size_t which = 0; which < 3; ++which) {
    const record_place place = segment.records[which];
    for (std::size_t bit = 8 * place.begin; bit < 8 * place.end; ++bit) {
      std::string file = whole;
      file[bit / 8] = static_cast<char>(file[bit / 8] ^ 1 << bit % 8);
      const segment_scan scanned = segment.scan(file);
      INFO("bit " << bit % 8 << " of byte " << bit / 8 - place.begin << " of record " << which);
      CHECK(scanned.tail == segment_tail::damaged);
      CHECK(scanned.end == place.begin);
    }
  }
}

TEST_CASE("a bit where only zeros should be is not taken for the end") {
  const built_segment segment = with_unsynced(8, 160);
  std::string file = segment.filled(segment.content);
  file[segment.content.size() + GENERATE(0U, 7U, 8U, 100U, 5000U)] = 1;
  CHECK(segment.scan(file).tail != segment_tail::end);
}

TEST_CASE("control records are taken in between groups, at the end and alone, and have no position") {
  built_segment segment;
  segment.add_control(log_record_kind::genesis, 0);
  const segment_scan alone = segment.scan(segment.filled(segment.content));
  CHECK(alone.tail == segment_tail::end);
  CHECK(alone.last == position{0});
  CHECK(alone.groups.empty());
  CHECK(alone.record.value().kind == log_record_kind::genesis);

  segment.add_control(log_record_kind::epoch, 1);
  segment.add(200);
  segment.add_control(log_record_kind::release, 1);
  segment.add_control(log_record_kind::epoch, 7);
  segment.add(300);
  segment.add_control(log_record_kind::barrier, 7);
  const segment_scan scanned = segment.scan(segment.filled(segment.content));
  CHECK(scanned.tail == segment_tail::end);
  CHECK(scanned.end == segment.content.size());
  CHECK(scanned.last == position{2});
  CHECK(scanned.hash == segment.hash);
  REQUIRE(scanned.groups.size() == 2);
  CHECK(scanned.groups[0].offset == segment.records[2].begin);
  CHECK(scanned.groups[1].offset == segment.records[5].begin);
  REQUIRE(scanned.record);
  CHECK(scanned.record->kind == log_record_kind::barrier);
  CHECK(scanned.record->epoch == 7);
  CHECK(scanned.record->time == sample_time + milliseconds(1));
}

TEST_CASE("a control record with entries, and a group without, are not taken in") {
  built_segment segment;
  segment.add(200);
  const auto kind = GENERATE(log_record_kind::group, log_record_kind::barrier);
  segment.add_control(kind, 1, kind == log_record_kind::group ? 0 : 1);
  const segment_scan scanned = segment.scan(segment.filled(segment.content));
  CHECK(scanned.last == position{1});
  CHECK(scanned.tail == segment_tail::damaged);
}

TEST_CASE("an inverted bit of a control record is damage, and the scan ends before it") {
  built_segment segment;
  segment.add(200);
  segment.add_control(log_record_kind::epoch, 3);
  segment.add(200);
  const record_place place = segment.records[1];
  for (std::size_t bit = 8 * place.begin; bit < 8 * place.end; ++bit) {
    std::string file = segment.filled(segment.content);
    file[bit / 8] = static_cast<char>(file[bit / 8] ^ 1 << bit % 8);
    INFO("bit " << bit % 8 << " of byte " << bit / 8 - place.begin);
    const segment_scan scanned = segment.scan(file);
    CHECK(scanned.tail == segment_tail::damaged);
    CHECK(scanned.end == place.begin);
  }
}

TEST_CASE("a whole record that does not follow the one before is not taken in") {
  built_segment segment;
  segment.add(200);
  built_segment other;
  other.add(300);
  other.add(200);
  // It has the right position, and another record before it.
  segment.content += other.content.substr(other.records[1].begin);
  const segment_scan scanned = segment.scan(segment.filled(segment.content));
  CHECK(scanned.last == position{1});
  CHECK(scanned.tail == segment_tail::damaged);
}

}  // namespace
}  // namespace ordem::storage
