// Logs in segments, and what is in their files, for tests.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/records/log_record.hpp"
#include "storage/segments/segment_log.hpp"
#include "tests/storage/capture_entries.hpp"
#include "tests/storage/reported_errors.hpp"
#include "tests/storage/tampering.hpp"
#include "tests/support_cpp/manual_clock.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::testing {

inline const std::string sample_log_id = "6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c";

// The place of a record in its file.
struct record_place {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Returns the records of an undamaged segment.
inline std::vector<record_place> records_in(const std::string& segment) {
  std::vector<record_place> all;
  std::size_t at = storage::segment_header_bytes;
  while (at < segment.size()) {
    const auto header = storage::decode_log_record_header(std::string_view(segment).substr(at));
    if (!header) break;
    all.push_back({at, at + storage::log_record_bytes(header->payload_bytes)});
    at = all.back().end;
  }
  return all;
}

// A log of captures, one for each position, so that an entry shows which one it is.
struct segment_log_test {
  temp_folder temp;
  std::filesystem::path folder = std::filesystem::canonical(temp.path()) / "log";
  manual_clock clock;
  reported_errors errors;
  storage::segment_log_settings settings;
  std::unique_ptr<storage::segment_log> log;

  segment_log_test() {
    settings.folder = folder;
    settings.log_id = sample_log_id;
    settings.segment_bytes = 4096;
    settings.entries_kept = std::numeric_limits<std::uint64_t>::max();
    settings.on_error = errors.listener();
    REQUIRE(storage::segment_log::make(settings, position{1}));
    open();
  }

  auto try_open() const { return storage::segment_log::open(settings, clock); }
  auto try_open(const std::filesystem::path& other) const {
    auto changed = settings;
    changed.folder = other;
    return storage::segment_log::open(std::move(changed), clock);
  }
  void open() {
    auto opened = try_open();
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened);
    log = std::move(*opened);
  }
  // As after `kill -9`.
  void reopen() {
    log.reset();
    open();
  }

  // The entry of that position. Its body says which one it is, and has at least `bytes`.
  static storage::entry entry_at(std::uint64_t number, std::size_t bytes = 0) {
    std::string body = "body " + std::to_string(number) + " ";
    if (body.size() < bytes) body.resize(bytes, 'x');
    return record_entry(key_of(number), std::move(body));
  }
  // Appends a group of the next entries.
  auto append(std::size_t count, std::size_t bytes = 0) {
    std::vector<storage::entry> group;
    for (std::size_t i = 1; i <= count; ++i) group.push_back(entry_at(log->appended().number + i, bytes));
    return log->append(group);
  }
  void write(std::size_t count, std::size_t bytes = 0) {
    REQUIRE(append(count, bytes));
    REQUIRE(log->sync());
  }
  // Writes groups of one entry until there are that many segments.
  void write_segments(std::size_t count, std::size_t bytes = 300) {
    while (segments().size() < count) write(1, bytes);
  }

  std::vector<std::filesystem::path> segments() const { return segments_in(folder); }
  std::string content() const { return read_file(segments().back()); }

  // Checks that the log has exactly the entries from `first` to `last`, each in its place.
  static void check_holds(const storage::log& in, std::uint64_t last, std::uint64_t first = 1) {
    REQUIRE(in.last() == position{last});
    std::uint64_t next = first;
    while (next <= last) {
      const auto some = in.read({next}, 1000);
      REQUIRE(some);
      REQUIRE_FALSE(some->empty());
      for (const storage::logged_entry& each : *some) {
        REQUIRE(each.position == position{next});
        REQUIRE(each.capture() != nullptr);
        REQUIRE(each.capture()->key == key_of(next));
        REQUIRE(each.capture()->after->response->body.starts_with("body " + std::to_string(next) + " "));
        ++next;
      }
    }
    REQUIRE(in.read({last + 1}, 10).value().empty());
  }
  void check_holds(std::uint64_t last, std::uint64_t first = 1) const { check_holds(*log, last, first); }
};

}  // namespace ordem::testing
