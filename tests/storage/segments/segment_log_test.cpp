// The log of one machine in its segments: what is appended, found, trimmed, torn off, damaged and recovered. What any
// log must do is in tests/storage/log/log_test.cpp.

#include "storage/segments/segment_log.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "tests/storage/error_matcher.hpp"
#include "tests/storage/file_size_limit.hpp"
#include "tests/storage/segments/segment_support.hpp"
#include "tests/storage/sync_calls.hpp"
#include "tests/support_cpp/sampled.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;
using namespace testing;
using Catch::Matchers::Contains;

constexpr std::size_t sector_bytes = 512;

std::uint64_t first_in(const fs::path& segment) {
  return std::stoull(segment.stem().string());
}

// --- writing and reading ---

TEST_CASE_METHOD(segment_log_test, "positions continue over segments and restarts, and every entry is found") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  while (segments().size() < 12) {
    write(1 + random() % 5, random() % 900);
    if (random() % 8 == 0) reopen();
  }
  check_holds(log->last().number);
  reopen();
  check_holds(log->last().number);
  write(1);
  check_holds(log->last().number);
  CHECK(log->first() == position{1});
}

TEST_CASE_METHOD(segment_log_test, "a record that is larger than a segment has one for itself") {
  write(1);
  write(1, 3 * settings.segment_bytes);
  write(1);
  write(2, 2 * settings.segment_bytes);
  CHECK(segments().size() == 4);
  check_holds(5);
  reopen();
  check_holds(5);
  write(1);
  check_holds(6);
}

TEST_CASE_METHOD(segment_log_test, "segments are no larger than asked for, and their names tell where they begin") {
  write_segments(6);
  for (const fs::path& each : segments()) {
    CHECK(fs::file_size(each) <= settings.segment_bytes);
    CHECK(log->read({first_in(each)}, 1).value().front().position == position{first_in(each)});
  }
}

TEST_CASE_METHOD(segment_log_test, "with durability os everything works as with a sync to the disk") {
  settings.syncs_to_disk = false;
  reopen();
  write(1);  // fills the segment with zeros, durably
  const sync_calls syncs;
  write(3);
  CHECK_FALSE(syncs.has(segments().back()));
  CHECK(log->sync_to_disk() == 0);
  CHECK(syncs.has(segments().back()));
  write_segments(4);
  const std::uint64_t last = log->last().number;
  reopen();
  check_holds(last);
}

TEST_CASE_METHOD(segment_log_test, "each sync waits for the disk, in the segment that was written to") {
  write(1);
  const sync_calls syncs;
  REQUIRE(append(1));
  CHECK_FALSE(syncs.has(segments().back()));
  REQUIRE(log->sync());
  CHECK(syncs.has(segments().back()));
}

// Else a power loss could take the end of a segment that is not the last one.
TEST_CASE_METHOD(segment_log_test, "a segment is synced before the next one is made, and its name is made durable") {
  write(1);
  const fs::path first = segments().front();
  const sync_calls syncs;
  while (segments().size() == 1) {
    CHECK_FALSE(syncs.has(first));
    REQUIRE(append(1, 300));
  }
  CHECK(syncs.has(first));
  CHECK(syncs.has(folder));
}

std::size_t open_segment_files() {
  std::size_t count = 0;
  for (const auto& each : fs::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    if (fs::read_symlink(each.path(), ignored).extension() == ".seg") ++count;
  }
  return count;
}

TEST_CASE_METHOD(segment_log_test, "no file of a full segment stays open, however many one sync covers") {
  for (int i = 0; i < 5; ++i) {
    while (segments().size() < static_cast<std::size_t>(4 * (i + 1))) REQUIRE(append(1, 1000));
    REQUIRE(log->sync());
  }
  CHECK(open_segment_files() <= 2);  // the last one, and the one that its thread may fill
}

// --- trimming ---

struct trim_test : segment_log_test {
  // Keeps nothing but what the consumers need.
  explicit trim_test(bool view = true, bool sink = true) {
    settings.entries_kept = 0;
    settings.consumed = {view, sink};
    reopen();
    write_segments(6);
    last = log->last().number;
    all = segments();
  }
  std::uint64_t last = 0;
  std::vector<fs::path> all;

  void check_trimmed_to(const fs::path& first) const {
    REQUIRE(segments().front() == first);
    CHECK(log->first() == position{first_in(first)});
    check_holds(last, first_in(first));
    if (first_in(first) > 1) CHECK(log->read({first_in(first) - 1}, 1).error() == log_read_error::trimmed);
  }
};

TEST_CASE_METHOD(trim_test, "what one of the consumers has not released stays") {
  const auto one = GENERATE(log_consumer::view, log_consumer::sink);
  const auto other = one == log_consumer::view ? log_consumer::sink : log_consumer::view;
  log->release(one, {last});
  check_trimmed_to(all[0]);
  log->release(other, {first_in(all[1]) - 2});
  check_trimmed_to(all[0]);
  log->release(other, {first_in(all[1]) - 1});
  check_trimmed_to(all[1]);
  log->release(other, {first_in(all[3])});
  check_trimmed_to(all[3]);
  reopen();
  check_trimmed_to(all[3]);
  CHECK(log->bytes_after({0}).value() == log->bytes_after({first_in(all[3]) - 1}).value());
}

TEST_CASE_METHOD(trim_test, "the last segment stays when everything is released, with the last record") {
  log->release(log_consumer::view, {last});
  log->release(log_consumer::sink, {last});
  check_trimmed_to(all.back());
  reopen();
  check_trimmed_to(all.back());
  CHECK(log->newest() == sample_time);
}

TEST_CASE_METHOD(segment_log_test, "a log whose last segment has no record keeps the segment before it") {
  settings.entries_kept = 0;
  settings.consumed = {false, false};
  reopen();
  write_segments(3);
  // As after a power loss before the first record of the last segment was synced.
  const std::string before = read_file(segments()[1]);
  const std::uint64_t last = first_in(segments().back()) - 1;
  const fs::path empty = segments().back();
  log.reset();
  write_file(empty, read_file(empty).substr(0, segment_header_bytes));
  open();
  check_holds(last);
  CHECK(log->newest() == sample_time);
  log->release(log_consumer::view, {last});
  CHECK(segments().size() == 2);
  reopen();
  CHECK(log->newest() == sample_time);
  write(1);
  CHECK(log->last() == position{last + 1});
  reopen();
  CHECK(log->last() == position{last + 1});
}

// --- the clock ---

// A clock whose state a test changes.
class changing_clock final : public time_source {
 public:
  timestamp now() const noexcept override { return sample_time; }
  std::uint64_t changes() const noexcept override { return changes_; }
  clock_state state() const override {
    clock_state what;
    what.time = sample_time;
    what.boot = "boot " + std::to_string(changes_);
    return what;
  }
  void change() { ++changes_; }

 private:
  std::atomic<std::uint64_t> changes_{0};
};

struct log_clock_test : segment_log_test {
  changing_clock changing;

  log_clock_test() { reopen_with_clock(); }
  void reopen_with_clock() {
    log.reset();
    auto opened = segment_log::open(settings, changing);
    REQUIRE(opened);
    log = std::move(*opened);
  }
  std::string kept() {
    reopen_with_clock();
    return log->clock() ? log->clock()->boot : "none";
  }
};

TEST_CASE_METHOD(log_clock_test, "the state of the clock is kept with the entries after its change") {
  write(1);
  CHECK(kept() == "boot 0");
  changing.change();
  write(1);
  write(1);
  CHECK(kept() == "boot 1");
}

TEST_CASE_METHOD(log_clock_test, "the state of the clock is found however long ago it changed, and after a trim") {
  settings.entries_kept = 0;
  changing.change();
  write_segments(5);
  CHECK(kept() == "boot 1");
  log->release(log_consumer::view, log->last());
  CHECK(segments().size() == 1);
  CHECK(kept() == "boot 1");
}

TEST_CASE_METHOD(log_clock_test, "a change of the clock whose entries were dropped is kept with the next ones") {
  settings.segment_bytes = std::size_t{4} << 20;  // so that recover() stays in the segment, whose first record has it
  reopen_with_clock();
  write(1);
  changing.change();
  REQUIRE(append(1));  // with the new state
  {
    const file_size_limit full(0);
    REQUIRE_FALSE(append(1));
  }
  REQUIRE(log->recover());
  write(1);
  CHECK(kept() == "boot 1");
}

// --- torn ends ---

struct torn_segment_test : segment_log_test {
  std::uint64_t copies = 0;

  // Opens a copy of the log whose last segment has this content. It must have entries up to `last`, take more, and
  // still have these after another start.
  void check_opens_with(const std::string& file, std::uint64_t last) {
    const fs::path copy = temp.path() / ("copy " + std::to_string(copies++));
    fs::copy(folder, copy);
    write_file(copy / segments().back().filename(), file);
    for (std::uint64_t more = 0; more < 2; ++more) {
      const auto opened = try_open(copy);
      INFO((opened ? "" : opened.error().message));
      REQUIRE(opened);
      check_holds(**opened, last + more);
      REQUIRE((*opened)->append(std::vector<entry>{entry_at(last + more + 1)}));
      REQUIRE((*opened)->sync());
    }
    fs::remove_all(copy);
  }
};

TEST_CASE_METHOD(torn_segment_test, "a record that was cut off at any byte is dropped", "[damage]") {
  write(2, 350);
  write(1, GENERATE(10U, 700U));
  const std::string whole = content();
  const record_place last = records_in(whole).back();
  for (const int bytes : sampled(static_cast<int>(last.end - last.begin))) {
    const std::size_t size = last.begin + static_cast<std::size_t>(bytes);
    INFO("the record is at " << last.begin << " to " << last.end << ", cut off at " << size);
    check_opens_with(whole.substr(0, size), 2);
  }
  check_opens_with(whole.substr(0, last.end), 3);
}

TEST_CASE_METHOD(torn_segment_test, "a record without any one of its sectors is dropped, wherever it begins",
                 "[damage]") {
  settings.segment_bytes = 64 * 1024;
  reopen();
  std::uint64_t before = 0;
  for (std::size_t bytes = 300; bytes < 300 + sector_bytes; bytes += 8) {
    write(1, bytes);
    REQUIRE(append(1, 700));
    ++before;
    const std::string whole = content();
    const record_place last = records_in(whole).back();
    for (std::size_t sector = last.begin / sector_bytes; sector * sector_bytes < last.end; ++sector) {
      std::string torn = whole;
      const std::size_t from = std::max(last.begin, sector * sector_bytes);
      const std::size_t to = std::min(last.end, (sector + 1) * sector_bytes);
      std::fill(torn.begin() + static_cast<std::ptrdiff_t>(from), torn.begin() + static_cast<std::ptrdiff_t>(to), '\0');
      INFO("the record is at " << last.begin << " to " << last.end << ", zeros from " << from << " to " << to);
      check_opens_with(torn, before);
    }
    REQUIRE(log->sync());
    ++before;
  }
}

TEST_CASE_METHOD(torn_segment_test, "a torn record is dropped with those behind it, and reported with its place",
                 "[damage]") {
  write(1, 600);
  for (int i = 0; i < 3; ++i) REQUIRE(append(1, 600));
  const std::string whole = content();
  const auto records = records_in(whole);
  const fs::path file = segments().back();
  const std::size_t which = GENERATE(1U, 2U, 3U);
  std::string torn = whole;
  const std::size_t sector = (records[which].begin / sector_bytes + 1) * sector_bytes;
  torn.replace(sector, sector_bytes, sector_bytes, '\0');
  check_opens_with(torn, which);

  log.reset();
  write_file(file, torn);
  open();
  REQUIRE(errors.all().size() >= 1);
  CHECK_THAT(errors.all().back(), Contains(file.string()) && Contains("never acknowledged") &&
                                      Contains("byte " + std::to_string(records[which].begin)));
  // Nothing of the dropped records is left, which later ones might bring back.
  const std::string cut = read_file(file);
  CHECK(cut.find_first_not_of('\0', records[which].begin) == std::string::npos);
  CHECK(cut.substr(0, records[which].begin) == whole.substr(0, records[which].begin));
}

TEST_CASE_METHOD(torn_segment_test, "a torn end is dropped in a segment that has only this record", "[damage]") {
  write_segments(3);
  const std::string whole = content();
  const auto records = records_in(whole);
  REQUIRE(records.size() == 1);
  check_opens_with(whole.substr(0, segment_header_bytes), log->last().number - 1);
  check_opens_with(whole.substr(0, records[0].end - 8) + std::string(3000, '\0'), log->last().number - 1);
}

TEST_CASE_METHOD(torn_segment_test, "a segment that has no header yet, because it was not made, is ignored",
                 "[damage]") {
  write_segments(3);
  const std::uint64_t last = log->last().number;
  log.reset();
  write_file(folder / "unfinished", std::string(100, 'x'));
  open();
  check_holds(last);
  write_segments(5);
  reopen();
  check_holds(log->last().number);
}

// --- damage ---

struct damaged_segment_test : segment_log_test {
  // Opens the log, which must fail with the place, and change nothing.
  void check_refused(const fs::path& file, const std::optional<std::size_t>& byte) {
    std::map<fs::path, std::string> before;
    for (const fs::path& each : segments()) before[each] = read_file(each);
    const auto opened = try_open();
    REQUIRE_FALSE(opened);
    std::vector<std::string> texts = {file.string()};
    if (byte) texts.push_back("byte " + std::to_string(*byte) + ";");
    CHECK_THAT(opened.error(), is_error(error_code::damaged, texts));
    for (const auto& [each, text] : before) CHECK(read_file(each) == text);
    CHECK(segments().size() == before.size());
  }
};

TEST_CASE_METHOD(damaged_segment_test, "a log with an inverted bit in any record of its last segment is refused",
                 "[damage]") {
  for (int i = 0; i < 3; ++i) write(1);
  log.reset();
  const fs::path file = segments().back();
  const std::string whole = read_file(file);
  for (const record_place& each : records_in(whole)) {
    for (std::size_t bit = 8 * each.begin; bit < 8 * each.end; ++bit) {
      std::string damaged = whole;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
      write_file(file, damaged);
      INFO("bit " << bit % 8 << " of byte " << bit / 8 - each.begin << " of the record at " << each.begin);
      check_refused(file, each.begin);
    }
  }
}

TEST_CASE_METHOD(damaged_segment_test, "a log with an inverted bit in the segment before the last is refused",
                 "[damage]") {
  write_segments(3, 700);
  log.reset();
  const fs::path file = segments()[1];
  const std::string whole = read_file(file);
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  for (const record_place& each : records_in(whole)) {
    for (int i = 0; i < 100; ++i) {
      const std::size_t bit = 8 * each.begin + random() % (8 * (each.end - each.begin));
      std::string damaged = whole;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
      write_file(file, damaged);
      INFO("bit " << bit % 8 << " of byte " << bit / 8 - each.begin << " of the record at " << each.begin);
      check_refused(file, each.begin);
    }
  }
}

TEST_CASE_METHOD(damaged_segment_test, "a torn end of a segment that is not the last one is damage", "[damage]") {
  write_segments(3);
  log.reset();
  const fs::path file = segments()[1];
  const std::string whole = read_file(file);
  const record_place last = records_in(whole).back();
  write_file(file, whole.substr(0, last.begin) + std::string(whole.size() - last.begin, '\0'));
  check_refused(file, last.begin);
  write_file(file, whole.substr(0, last.end - 10));
  check_refused(file, std::nullopt);
}

TEST_CASE_METHOD(damaged_segment_test, "a log with a damaged header of any segment is refused", "[damage]") {
  write_segments(4);
  log.reset();
  const std::size_t which = GENERATE(0U, 1U, 2U, 3U);
  const fs::path file = segments()[which];
  const std::string whole = read_file(file);
  for (std::size_t byte = 0; byte < 77; ++byte) {
    std::string damaged = whole;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 4);
    write_file(file, damaged);
    INFO("byte " << byte);
    check_refused(file, 0);
  }
  write_file(file, whole.substr(0, 100));
  check_refused(file, 0);
}

TEST_CASE_METHOD(damaged_segment_test, "a log without one of its segments is refused", "[damage]") {
  write_segments(6);
  log.reset();
  const auto all = segments();
  const std::size_t which = GENERATE(1U, 2U, 3U, 4U);
  fs::remove(all[which]);
  INFO("segment " << which + 1 << " of " << all.size() << " is missing");
  const auto opened = try_open();
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error(), is_error(error_code::damaged, {all[which - 1].string(), "byte"}));
}

TEST_CASE_METHOD(damaged_segment_test, "a segment under the name of another is refused", "[damage]") {
  write_segments(3);
  log.reset();
  const auto all = segments();
  fs::rename(all[0], folder / "00000000000000000002.seg");
  check_refused(folder / "00000000000000000002.seg", 0);
}

TEST_CASE_METHOD(damaged_segment_test, "a log of another data folder, and a folder without a log, are refused",
                 "[damage]") {
  write(1);
  log.reset();
  settings.log_id = "00000000-1f5b-4a44-9d3c-0a7d3a4e5b6c";
  const auto other = try_open();
  REQUIRE_FALSE(other);
  CHECK_THAT(other.error(), is_error(error_code::damaged, {segments()[0].string(), "another data folder"}));
  fs::remove(segments()[0]);
  const auto none = try_open();
  REQUIRE_FALSE(none);
  CHECK_THAT(none.error(), is_error(error_code::damaged, {folder.string()}));
}

TEST_CASE_METHOD(segment_log_test, "damage in a segment that the start does not read is a failed read with its place") {
  write_segments(5);
  log.reset();
  const fs::path file = segments()[1];
  std::string damaged = read_file(file);
  const record_place place = records_in(damaged)[1];
  damaged[place.begin + 80] ^= 1;
  write_file(file, damaged);
  open();
  const std::uint64_t first = first_in(file);
  CHECK(log->read({first}, 100).error() == log_read_error::storage_failed);
  CHECK(log->read({first - 1}, 1));
  CHECK(log->read({first_in(segments()[2])}, 1));
  REQUIRE_FALSE(errors.all().empty());
  CHECK_THAT(errors.all().back(), Contains(file.string()) && Contains("byte " + std::to_string(place.begin)));
}

// --- reading beside a writer ---

TEST_CASE_METHOD(segment_log_test, "a log that is opened for reading changes nothing, even if its end is torn") {
  write(1, 600);
  REQUIRE(append(1, 600));
  const fs::path file = segments().back();
  std::string torn = content();
  const record_place last = records_in(torn).back();
  const std::size_t second_sector = (last.begin / sector_bytes + 1) * sector_bytes;
  std::fill(torn.begin() + static_cast<std::ptrdiff_t>(second_sector), torn.end(), '\0');
  log.reset();
  write_file(file, torn);
  const auto reader = segment_log::open_for_reading(settings);
  REQUIRE(reader);
  check_holds(**reader, 1);
  CHECK(read_file(file) == torn);
}

TEST_CASE_METHOD(segment_log_test, "a log can be opened for reading again and again while it is written") {
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> acknowledged{0};
  std::thread writer([&] {
    while (!stop) {
      if (!log->append(std::vector<entry>{entry_at(log->appended().number + 1, 300)}) || !log->sync()) return;
      acknowledged = log->last().number;
    }
  });
  std::string failure;
  std::uint64_t seen = 0;
  for (int i = 0; i < 300 && failure.empty(); ++i) {
    const std::uint64_t before = acknowledged;
    const auto reader = segment_log::open_for_reading(settings);
    if (!reader) {
      failure = reader.error().message;
    } else if ((*reader)->last().number < before || (*reader)->last().number < seen) {
      failure = "it has lost entries";
    } else {
      seen = (*reader)->last().number;
    }
  }
  stop = true;
  writer.join();
  CHECK(failure == "");
  CHECK(seen > 0);
}

TEST_CASE_METHOD(segment_log_test, "a log can be opened for reading while it is written and trimmed") {
  settings.entries_kept = 0;
  reopen();
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    while (!stop) {
      if (!log->append(std::vector<entry>{entry_at(log->appended().number + 1, 3000)}) || !log->sync()) return;
      log->release(log_consumer::view, log->last());
    }
  });
  std::string failure;
  for (int i = 0; i < 2000 && failure.empty(); ++i) {
    const auto reader = segment_log::open_for_reading(settings);
    if (!reader) failure = reader.error().message;
  }
  stop = true;
  writer.join();
  CHECK(failure == "");
}

// --- failures and recovery ---

TEST_CASE_METHOD(segment_log_test, "after a failed write nothing is taken before recover(), and reads work") {
  write(2);
  const std::uint64_t limit = GENERATE(0U, 700U, 900U);  // not even a part of the record, or a part of it
  {
    const file_size_limit full(limit);
    tl::expected<position, log_error> appended;
    while ((appended = append(1, 600))) REQUIRE(log->appended().number < 1000);
    CHECK(appended.error() == log_error::write_failed);
    CHECK(append(1).error() == log_error::failed_earlier);
    CHECK(log->sync().error() == log_error::failed_earlier);
    check_holds(2);
    const auto recovered = log->recover();
    REQUIRE_FALSE(recovered);
    CHECK_THAT(recovered.error(), is_error(error_code::io_error, {folder.string()}));
    CHECK(append(1).error() == log_error::failed_earlier);
  }
  CHECK(append(1).error() == log_error::failed_earlier);
  REQUIRE(log->recover());
  check_holds(2);
  write(2, 100);
  check_holds(4);
  reopen();
  check_holds(4);
  const auto reported = errors.all();
  REQUIRE(reported.size() == 1);
  CHECK_THAT(reported[0], Contains(folder.string()) && Contains("File too large"));
}

TEST_CASE_METHOD(segment_log_test, "recover() drops what is not durable, and that does not come back") {
  write(2, 200);
  const std::size_t dropped = GENERATE(1U, 5U, 40U);  // in the same segment, or in several more
  for (std::size_t i = 0; i < dropped; ++i) {
    std::vector<entry> group = {record_entry(key_of(900 + i), std::string(500, 'd'))};
    REQUIRE(log->append(group));
  }
  {
    const file_size_limit full(0);
    REQUIRE_FALSE(append(1));
  }
  REQUIRE(log->recover());
  CHECK(log->appended() == position{2});
  check_holds(2);
  const std::size_t more = GENERATE(0U, 1U, 20U);
  for (std::size_t i = 0; i < more; ++i) write(1, 350);
  check_holds(2 + more);
  reopen();
  check_holds(2 + more);
  for (const fs::path& each : segments()) CHECK_THAT(read_file(each), !Contains("dddddd"));
}

TEST_CASE_METHOD(segment_log_test, "a new segment that could not be made durable leaves nothing behind") {
  sync_calls syncs;
  write(1, 300);
  syncs.refuse(folder);
  tl::expected<position, log_error> appended;
  while ((appended = append(1, 300))) REQUIRE(log->appended().number < 1000);
  CHECK(appended.error() == log_error::write_failed);
  syncs.refuse_nothing();
  REQUIRE(log->recover());
  check_holds(1);
  // Other entries than those that were dropped, so that the next segment begins elsewhere.
  write(1, 3000);
  write_segments(3);
  const std::uint64_t last = log->last().number;
  log.reset();
  for (const fs::path& each : segments()) UNSCOPED_INFO("there is " << each.filename());
  const auto opened = try_open();
  INFO((opened ? "" : opened.error().message));
  REQUIRE(opened);
  check_holds(**opened, last);
}

TEST_CASE_METHOD(segment_log_test, "a log whose folder is removed or replaced never recovers") {
  write(1);
  fs::rename(folder, temp.path() / "away");
  if (GENERATE(true, false)) fs::create_directories(folder);
  REQUIRE(append(1));
  CHECK(log->sync().error() == log_error::write_failed);
  CHECK(log->last() == position{1});
  CHECK_THAT(log->recover().error(), is_error(error_code::permanent, {"removed or replaced"}));
  CHECK(append(1).error() == log_error::failed_earlier);
}

}  // namespace
}  // namespace ordem::storage
