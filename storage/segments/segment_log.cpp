#include "storage/segments/segment_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/base/check.hpp"
#include "storage/records/log_group.hpp"
#include "storage/records/log_record.hpp"
#include "storage/segments/segment_files.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t epoch_of_one_machine = 1;
// How much is filled with zeros at once, and when: a second of writing at 15 MB/s takes some 20 of these.
constexpr std::uint64_t fill_bytes = std::uint64_t{1} << 20;
constexpr std::uint64_t fill_below_bytes = fill_bytes / 2;
constexpr std::string_view folder_removed =
    "the data folder was removed or replaced while it was in use; acknowledged data is in the removed folder";

}  // namespace

// --- writing ---

tl::expected<position, log_error> segment_log::append(std::span<const entry> entries) {
  ORDEM_CHECK(use_ == use::append && entries.size() <= group_entries_max);
  if (failed_) return tl::make_unexpected(log_error::failed_earlier);
  if (entries.empty()) return appended();

  end_state next = appended_end_;
  log_record_header header;
  header.entries = static_cast<std::uint32_t>(entries.size());
  header.epoch = epoch_of_one_machine;
  header.first = {appended().number + 1};
  // Without a sync to the disk a later record may survive a power loss that an earlier one does not.
  if (settings_.syncs_to_disk) header.durable = last();
  header.time = next.time();
  for (const entry& each : entries) header.time = std::max(header.time, decided_at(each));
  header.hash_before = next.hash();

  // In the record of the first entries that may be dated after the change, so that no start finds them without it; and
  // in the first record of each segment, so that a start finds it in the last ones.
  const std::uint64_t clock_changes = clock_->changes();
  const auto frame = [&](bool with_clock) {
    buffer_.assign(log_record_header_bytes, '\0');
    encode_log_group(buffer_, with_clock ? std::optional(clock_->state()) : std::nullopt, entries);
    frame_log_record(buffer_, header);
  };
  frame(clock_changes != clock_changes_ || next.in->groups.empty());
  // A record that is larger than a segment has one for itself.
  if (next.end + buffer_.size() > settings_.segment_bytes && !next.in->groups.empty()) {
    auto begun = begin_segment();
    if (!begun) return failed_write(begun.error().message);
    next.in = std::move(*begun);
    next.end = segment_header_bytes;
    frame(true);
  }
  if (auto written = write_record(next, buffer_); !written) return failed_write(written.error().message);
  clock_changes_ = clock_changes;
  const std::lock_guard lock(mutex_);
  take_record(std::move(next), header);
  return header.last();
}

result<void> segment_log::append_record(std::string_view record) {
  ORDEM_CHECK(use_ == use::copy);
  const auto io_failure = [this](std::string_view why) {
    (void)failed_write(why);
    return fail_with(error_code::io_error, "cannot write the copy of the log: " + std::string(why));
  };
  if (failed_) return io_failure("an earlier write failed");
  const auto header = decode_log_record_header(record);
  if (!header || log_record_bytes(header->payload_bytes) != record.size() || !is_intact(*header, record)) {
    return fail_with(error_code::damaged, "a record for the copy of the log is not whole");
  }
  end_state next = appended_end_;
  if (!follows(*header, appended(), next.hash())) {
    return fail_with(error_code::damaged,
                     "a record for the copy of the log does not follow position " + std::to_string(appended().number));
  }
  // By groups alone, since a segment is named after its first entry.
  if (next.end + record.size() > settings_.segment_bytes && !next.in->groups.empty()) {
    auto begun = begin_segment();
    if (!begun) return io_failure(begun.error().message);
    next.in = std::move(*begun);
    next.end = segment_header_bytes;
  }
  if (auto written = write_record(next, record); !written) return io_failure(written.error().message);
  if (!folder_->is_in_place()) return io_failure(folder_removed);
  const std::lock_guard lock(mutex_);
  take_record(std::move(next), *header);
  close_segments_before(appended_end_.in);
  durable_end_ = appended_end_;
  durable_.store(appended_, std::memory_order_release);
  return {};
}

// Writes the record at the end of `to`, and moves that on.
result<void> segment_log::write_record(end_state& to, std::string_view record) const {
  if (auto filled = fill(*to.in, to.end + record.size()); !filled) return filled;
  if (const int error = to.in->file->write(record, to.end)) {
    return fail_with(error_code::io_error, place_of(*to.in, to.end) + ": " + error_text(error));
  }
  to.end += record.size();
  return {};
}

// Makes the record that was written there the last one. REQUIRES: mutex_ is held.
void segment_log::take_record(end_state next, const log_record_header& header) {
  if (header.kind == log_record_kind::group) {
    next.in->groups.push_back({header.first, next.end - log_record_bytes(header.payload_bytes)});
  }
  next.in->end = next.end;
  if (next.in->filled - next.end < fill_below_bytes && next.in->filled < settings_.segment_bytes) {
    fill_wanted_ = true;
    fill_changed_.notify_all();
  }
  next.record = header;
  appended_end_ = std::move(next);
  appended_.store(header.last().number, std::memory_order_release);
}

// REQUIRES: mutex_ is held.
void segment_log::close_segments_before(const shared_segment& last) {
  if (durable_end_.in == last) return;
  for (const shared_segment& each : segments_) {
    if (each == last) return;
    each->file.reset();
  }
}

std::optional<log_record_header> segment_log::last_record() const {
  const std::lock_guard lock(mutex_);
  return durable_end_.record;
}

// Makes the next segment, behind the appended records, and returns it.
result<segment_log::shared_segment> segment_log::begin_segment() {
  const end_state& full = appended_end_;
  if (const int error = full.in->file->sync()) {
    return fail_with(error_code::io_error, place_of(*full.in, full.end) + ": " + error_text(error));
  }
  auto made = std::make_shared<segment>();
  made->header = {settings_.log_id,
                  {appended().number + 1},
                  full.in->header.bytes_before + full.end - segment_header_bytes,
                  full.hash()};
  auto file = make_segment(made->header, folder_->lasting_path());
  if (!file) return tl::make_unexpected(file.error());
  made->file.emplace(std::move(*file));
  made->filled = segment_header_bytes;
  const std::lock_guard lock(mutex_);
  segments_.push_back(made);
  return made;
}

// Fills the file with zeros, durably, if it does not reach up to there. A segment with another one behind it does not
// grow any more.
result<void> segment_log::fill(segment& what, std::uint64_t upto) const {
  if (upto <= what.filled) return {};
  const std::lock_guard lock(fill_mutex_);
  if (upto <= what.filled) return {};
  if (!is_last(what)) return {};
  // Not the file of the segment itself, which sync() may close.
  const auto file = open_file::open(path_of(what), O_RDWR);
  if (!file) return tl::make_unexpected(file.error());
  const std::uint64_t whole = std::min(what.filled + fill_bytes, settings_.segment_bytes);
  const std::string zeros(std::max(upto, whole) - what.filled, '\0');
  int error = file->write(zeros, what.filled);
  if (error == 0) error = file->sync();
  if (error != 0) return fail_with(error_code::io_error, place_of(what, what.filled) + ": " + error_text(error));
  what.filled += zeros.size();
  return {};
}

bool segment_log::is_last(const segment& what) const {
  const std::lock_guard lock(mutex_);
  return segments_.back().get() == &what;
}

// Runs on a thread of its own. A failure is left to the append that needs the room.
void segment_log::fill_ahead() {
  std::unique_lock lock(mutex_);
  for (;;) {
    fill_changed_.wait(lock, [this] { return stopping_ || fill_wanted_; });
    if (stopping_) return;
    fill_wanted_ = false;
    const shared_segment last = segments_.back();
    lock.unlock();
    (void)fill(*last, std::min(last->filled + 1, settings_.segment_bytes));
    lock.lock();
  }
}

tl::expected<position, log_error> segment_log::sync() {
  ORDEM_CHECK(use_ != use::read);
  if (failed_) return tl::make_unexpected(log_error::failed_earlier);
  end_state to;
  position through;
  {
    const std::lock_guard lock(mutex_);
    to = appended_end_;
    through = appended();
  }
  if (through == last()) return through;
  if (settings_.syncs_to_disk) {
    if (const int error = to.in->file->sync()) return failed_write(place_of(*to.in, to.end) + ": " + error_text(error));
  }
  if (!folder_->is_in_place()) return failed_write(folder_removed);
  const std::lock_guard lock(mutex_);
  close_segments_before(to.in);
  durable_end_ = std::move(to);
  durable_.store(through.number, std::memory_order_release);
  return through;
}

int segment_log::sync_to_disk() const {
  shared_segment in;
  {
    const std::lock_guard lock(mutex_);
    in = segments_.back();
  }
  // Not the file of the segment itself, which sync() may close.
  const auto file = open_file::open(path_of(*in), O_RDWR);
  return file ? file->sync() : EIO;
}

result<void> segment_log::recover() {
  if (!failed_) return {};
  if (!folder_->is_in_place()) return fail_with(error_code::permanent, std::string(folder_removed));
  const end_state back = durable_end_;
  {
    const std::lock_guard lock(mutex_);
    while (segments_.back() != back.in) segments_.pop_back();
  }
  if (auto removed = remove_segments_after(back.in->header.first); !removed) return removed;
  if (auto cut = cut_tail(*back.in, back.end, back.in->filled); !cut) return cut;
  auto file = open_file::open(path_of(*back.in), O_RDWR);
  if (!file) return tl::make_unexpected(file.error());

  {
    const std::lock_guard lock(mutex_);
    auto& groups = back.in->groups;
    while (!groups.empty() && groups.back().offset >= back.end) groups.pop_back();
    back.in->end = back.end;
    back.in->file.emplace(std::move(*file));
    appended_end_ = back;
    appended_.store(durable_, std::memory_order_release);
    clock_changes_.reset();
  }
  if (auto made = make_room(); !made) return made;
  failed_ = false;
  return {};
}

// Takes the space for the next records, so that a disk that is still full is noticed before the next append.
result<void> segment_log::make_room() {
  const bool is_full = appended_end_.end + fill_below_bytes > settings_.segment_bytes;
  if (is_full && !appended_end_.in->groups.empty()) {
    auto begun = begin_segment();
    if (!begun) return tl::make_unexpected(begun.error());
    const std::lock_guard lock(mutex_);
    appended_end_.in = std::move(*begun);
    appended_end_.end = segment_header_bytes;
  }
  return fill(*appended_end_.in, std::min(appended_end_.end + fill_bytes, settings_.segment_bytes));
}

tl::unexpected<log_error> segment_log::failed_write(std::string_view why) {
  if (failed_.exchange(true)) return tl::make_unexpected(log_error::failed_earlier);
  const bool no_descriptors = why.find("Too many open files") != std::string_view::npos;
  settings_.on_error("a write to the log failed, and nothing is accepted until one succeeds: " +
                     std::string(no_descriptors ? "no file descriptors are left, which is no fault of the disk: raise "
                                                  "the limit of open files (RLIMIT_NOFILE): "
                                                : "") +
                     std::string(why));
  return tl::make_unexpected(log_error::write_failed);
}

// --- trimming ---

void segment_log::release(log_consumer who, position through) {
  {
    const std::lock_guard lock(mutex_);
    released_[static_cast<std::size_t>(who)] = through;
  }
  trim();
}

// Deletes segments without an entry that is needed, the oldest first. The last record stays, since the next start finds
// its time and the clock in it. Of a copy, the segment before the last one stays, too: a loss of power may take all
// records of the last one, which is not synced before it is full, and a node finds its place in the stream by a record.
void segment_log::trim() {
  for (;;) {
    shared_segment oldest;
    {
      const std::lock_guard lock(mutex_);
      if (holds_ > 0) return;
      std::uint64_t unneeded = last().number - std::min(last().number, settings_.entries_kept);
      for (std::size_t i = 0; i < log_consumers; ++i) {
        if (settings_.consumed[i]) unneeded = std::min(unneeded, released_[i].number);
      }
      if (segments_.size() <= (use_ == use::copy ? 2 : 1)) return;
      if (segments_[1]->header.first.number > unneeded + 1) return;
      if (segments_.size() == 2 && last() < segments_[1]->header.first) return;
      if (segments_.front() == durable_end_.in) return;
      oldest = segments_.front();
      segments_.pop_front();
    }
    if (const int error = remove_segment(oldest->header.first)) {
      settings_.on_error("the log can't be trimmed: " + place_of(*oldest, 0) + ": " + error_text(error));
      return;
    }
  }
}

void segment_log::hold_segments() {
  const std::lock_guard lock(mutex_);
  ++holds_;
}

void segment_log::release_segments() {
  {
    const std::lock_guard lock(mutex_);
    --holds_;
  }
  trim();
}

segment_log::durable_state segment_log::durable_files() const {
  const std::lock_guard fill_lock(fill_mutex_);  // no full segment is growing, and none will
  const std::lock_guard lock(mutex_);
  durable_state now;
  now.first = first_in_lock();
  now.last = last();
  for (const shared_segment& each : segments_) {
    const bool is_last = each == durable_end_.in;
    // A segment before that of the last durable record was synced whole before the next one was begun, and nothing goes
    // back behind that record.
    now.files.push_back({path_of(*each),
                         segment_name(each->header.first),
                         is_last ? durable_end_.end : each->filled.load(),
                         !is_last,
                         {}});
    if (is_last) break;
  }
  return now;
}

// Durably, so that a crash that brings an older segment back brings those behind it back as well. Returns 0 or the
// errno of the failure.
int segment_log::remove_segment(position first) const {
  if (::unlink((folder_->lasting_path() / segment_name(first)).c_str()) != 0 && errno != ENOENT) return errno;
  return sync_folder(folder_->lasting_path());
}

// Also one that could not be made to its end.
result<void> segment_log::remove_segments_after(position last) {
  auto firsts = find_segments(folder_->lasting_path());
  if (!firsts) return tl::make_unexpected(firsts.error());
  // The last one first, so that a crash leaves no gap.
  for (; !firsts->empty() && firsts->back() > last; firsts->pop_back()) {
    if (const int error = remove_segment(firsts->back())) {
      return fail_with(
          error_code::io_error,
          "cannot remove " + quoted(settings_.folder / segment_name(firsts->back())) + ": " + error_text(error));
    }
  }
  return {};
}

// --- errors ---

// By way of the folder's descriptor, wherever the folder is now.
fs::path segment_log::path_of(const segment& which) const {
  return folder_->lasting_path() / segment_name(which.header.first);
}

// With the path that the user knows.
std::string segment_log::place_of(const segment& where, std::uint64_t offset) const {
  return quoted(settings_.folder / segment_name(where.header.first)) + " at byte " + std::to_string(offset);
}

error segment_log::damage(const segment& where, std::uint64_t offset) const {
  return {error_code::damaged,
          "the log is damaged in " + place_of(where, offset) +
              "; nothing was changed: restore the data folder from a back-up, or keep it for a repair"};
}

}  // namespace ordem::storage
