// How a log is opened: its segments are found, and its end.
#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "storage/segments/segment_files.hpp"
#include "storage/segments/segment_log.hpp"

namespace ordem::storage {

namespace fs = std::filesystem;

bool segment_log::exists(const fs::path& folder) {
  const auto found = find_segments(folder);
  return found && !found->empty();
}

result<void> segment_log::make(const segment_log_settings& settings, position first) {
  if (auto made = make_folder(settings.folder); !made) return made;
  if (auto made = make_segment({settings.log_id, first, 0, 0}, settings.folder); !made) {
    return tl::make_unexpected(made.error());
  }
  return {};
}

result<std::unique_ptr<segment_log>> segment_log::open(segment_log_settings settings, const time_source& clock) {
  std::unique_ptr<segment_log> opened(new segment_log(std::move(settings), use::append));
  opened->clock_ = &clock;
  return start(std::move(opened));
}

result<std::unique_ptr<segment_log>> segment_log::open_copy(segment_log_settings settings, position synced) {
  settings.syncs_to_disk = false;
  std::unique_ptr<segment_log> opened(new segment_log(std::move(settings), use::copy));
  opened->synced_ = synced;
  return start(std::move(opened));
}

result<std::unique_ptr<segment_log>> segment_log::start(std::unique_ptr<segment_log> opened) {
  if (auto loaded = opened->load(); !loaded) return tl::make_unexpected(loaded.error());
  opened->fill_thread_ = std::thread([log = opened.get()] { log->fill_ahead(); });
  return opened;
}

// A process that writes the log may trim it meanwhile, so a failure counts only if the segments are still the same.
result<std::unique_ptr<segment_log>> segment_log::open_for_reading(const segment_log_settings& settings) {
  constexpr int tries_max = 1000;
  for (int i = 1;; ++i) {
    const auto before = find_segments(settings.folder);
    std::unique_ptr<segment_log> opened(new segment_log(settings, use::read));
    auto loaded = opened->load();
    if (loaded) return opened;
    const auto after = find_segments(settings.folder);
    if (!before || !after || *before == *after || i == tries_max) return tl::make_unexpected(loaded.error());
  }
}

segment_log::~segment_log() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    fill_changed_.notify_all();
  }
  if (fill_thread_.joinable()) fill_thread_.join();
}

result<void> segment_log::load() {
  auto folder = held_folder::open(settings_.folder);
  if (!folder) return tl::make_unexpected(folder.error());
  folder_.emplace(std::move(*folder));

  const auto firsts = find_segments(settings_.folder);
  if (!firsts) return tl::make_unexpected(firsts.error());
  if (firsts->empty()) {
    return fail_with(error_code::damaged, "the folder " + quoted(settings_.folder) +
                                              " has no log; restore the data folder from a back-up as a whole");
  }

  for (const position first : *firsts) {
    const auto file = open_file::open(settings_.folder / segment_name(first), O_RDONLY);
    if (!file) return tl::make_unexpected(file.error());
    auto made = std::make_shared<segment>();
    made->header.first = first;
    std::string bytes;
    if (const int failed = file->read(bytes, segment_header_bytes, 0)) {
      return fail_with(error_code::io_error, "cannot read " + place_of(*made, 0) + ": " + error_text(failed));
    }
    const auto header = decode_segment_header(bytes);
    if (!header || header->first != first) return tl::make_unexpected(damage(*made, 0));
    if (!settings_.log_id.empty() && header->log_id != settings_.log_id) {
      return fail_with(error_code::damaged,
                       place_of(*made, 0) + " belongs to another data folder; nothing was changed");
    }
    made->header = *header;
    made->filled = file->size();
    // A segment is missing if its records would not fit into the one before.
    if (!segments_.empty()) {
      const segment& before = *segments_.back();
      const std::uint64_t records = made->header.bytes_before - before.header.bytes_before;
      if (records > before.filled - segment_header_bytes) return tl::make_unexpected(damage(before, before.filled));
    }
    segments_.push_back(std::move(made));
  }
  return find_end();
}

result<void> segment_log::find_end() {
  const shared_segment& last = segments_.back();
  auto scanned = scan(*last);
  // A process that writes the log may have written a record behind one that was read before it was there.
  for (std::uint64_t end = 0;
       use_ == use::read && scanned && scanned->tail == segment_tail::damaged && scanned->end > end;) {
    end = scanned->end;
    scanned = scan(*last);
  }
  if (!scanned) return tl::make_unexpected(scanned.error());
  if (scanned->tail != segment_tail::end) {
    if (auto cut = cut_if_allowed(*last, *scanned); !cut) return cut;
  }
  last->groups = std::move(scanned->groups);
  last->end = scanned->end;
  appended_end_ = {last, scanned->end, scanned->record};
  appended_ = durable_ = scanned->last.number;
  recovered_clock_ = scanned->clock;

  // The segment before has its last record, if this one has none. It must end where this one begins.
  if (segments_.size() > 1) {
    const shared_segment& before = segments_[segments_.size() - 2];
    auto full = scan(*before);
    if (!full) return tl::make_unexpected(full.error());
    if (full->tail != segment_tail::end || full->hash != last->header.hash_before ||
        full->last.number + 1 != last->header.first.number) {
      return tl::make_unexpected(damage(*before, full->end));
    }
    before->groups = std::move(full->groups);
    before->end = full->end;
    if (!appended_end_.record) appended_end_.record = full->record;
    if (!recovered_clock_) recovered_clock_ = full->clock;
  }
  durable_end_ = appended_end_;
  if (appended_end_.record) recovered_time_ = appended_end_.record->time;
  if (auto found = find_clock(); !found) return found;

  if (use_ == use::read) return {};
  auto file = open_file::open(path_of(*last), O_RDWR);
  if (!file) return tl::make_unexpected(file.error());
  last->file.emplace(std::move(*file));
  // A process that was killed may have written the last records and not synced them. From now on they are acknowledged.
  if (settings_.syncs_to_disk) {
    if (const int failed = last->file->sync()) {
      return fail_with(error_code::io_error, "cannot sync " + place_of(*last, last->end) + ": " + error_text(failed));
    }
  }
  return {};
}

// Cuts off what follows the last intact record of the last segment, if it was never acknowledged, or if the log is a
// copy and it was not synced.
result<void> segment_log::cut_if_allowed(const segment& what, const segment_scan& scanned) const {
  const bool is_torn = scanned.tail == segment_tail::torn;
  if (use_ == use::copy ? scanned.last < synced_ : !is_torn) return tl::make_unexpected(damage(what, scanned.end));
  if (use_ == use::read) return {};
  if (auto cut = cut_tail(what, scanned.end, scanned.written_end); !cut) return cut;
  settings_.on_error((use_ == use::copy ? "the copy of the log ended in records that were not on the disk yet, and are "
                                          "read again; cut off: "
                                        : "the log ended in a record that was not written to its end, so never "
                                          "acknowledged; cut off: ") +
                     place_of(what, scanned.end));
  return {};
}

// The segments of a copy begin wherever its node came to, so the last two may have no state of the clock.
result<void> segment_log::find_clock() {
  for (std::size_t i = segments_.size(); !recovered_clock_ && i > 2; --i) {
    const auto scanned = scan(*segments_[i - 3]);
    if (!scanned) return tl::make_unexpected(scanned.error());
    recovered_clock_ = scanned->clock;
  }
  return {};
}

// Fills these bytes with zeros, durably. Writes the beginning of their first page again, too: after a sync that failed
// the kernel may take it for written although it is not on the disk.
result<void> segment_log::cut_tail(const segment& what, std::uint64_t from, std::uint64_t to) const {
  constexpr std::uint64_t page_bytes = 4096;
  const auto failed = [&](int error) {
    return fail_with(error_code::io_error,
                     "cannot cut off the end of the log in " + place_of(what, from) + ": " + error_text(error));
  };
  const auto file = open_file::open(path_of(what), O_RDWR);
  if (!file) return tl::make_unexpected(file.error());
  const std::uint64_t begin = from / page_bytes * page_bytes;
  std::string bytes;
  if (const int error = file->read(bytes, from - begin, begin)) return failed(error);
  bytes.resize(std::max(to, from) - begin, '\0');
  if (const int error = file->write(bytes, begin)) return failed(error);
  if (const int error = file->sync()) return failed(error);
  return {};
}

}  // namespace ordem::storage
