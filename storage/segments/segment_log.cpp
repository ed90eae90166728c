#include "storage/segments/segment_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <utility>

#include "engine/base/check.hpp"
#include "storage/records/log_group.hpp"
#include "storage/records/log_record.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t epoch_of_one_machine = 1;
constexpr std::string_view extension = ".seg";
constexpr std::size_t name_digits = 20;
constexpr const char* unfinished_name = "unfinished";  // a segment that has no header yet
// How much is filled with zeros at once, and when: a second of writing at 15 MB/s takes some 20 of these.
constexpr std::uint64_t fill_bytes = std::uint64_t{1} << 20;
constexpr std::uint64_t fill_below_bytes = fill_bytes / 2;
constexpr std::string_view folder_removed =
    "the data folder was removed or replaced while it was in use; acknowledged data is in the removed folder";

std::string name_of(position first) {
  std::string name(name_digits, '0');
  const std::string digits = std::to_string(first.number);
  name.replace(name_digits - digits.size(), digits.size(), digits);
  name += extension;
  return name;
}

std::optional<position> position_in(const std::string& name) {
  if (name.size() != name_digits + extension.size() || !name.ends_with(extension)) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = name.data() + name_digits;
  const auto read = std::from_chars(name.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return position{number};
}

// Returns the first positions of all segments in the folder, ascending.
result<std::vector<position>> find_segments(const fs::path& folder) {
  std::vector<position> firsts;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (const auto first = position_in(at->path().filename().string())) firsts.push_back(*first);
  }
  if (error) return fail_with(error_code::io_error, "cannot read " + quoted(folder) + ": " + error.message());
  std::sort(firsts.begin(), firsts.end());
  return firsts;
}

// Makes a segment without records, durably, and returns its file. After a failure there is none.
result<open_file> make_segment(const segment_header& header, const fs::path& folder) {
  auto file = open_file::open(folder / unfinished_name, O_CREAT | O_TRUNC | O_RDWR);
  if (!file) return file;
  std::string bytes;
  encode_segment_header(bytes, header);
  int error = file->write(bytes, 0);
  if (error == 0) error = file->sync();
  const fs::path path = folder / name_of(header.first);
  if (error == 0 && ::rename((folder / unfinished_name).c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) error = sync_folder(folder);
  if (error == 0) return file;
  ::unlink(path.c_str());
  return fail_with(error_code::io_error, "cannot make " + quoted(path) + ": " + error_text(error));
}

}  // namespace

// --- opening ---

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
  std::unique_ptr<segment_log> opened(new segment_log(std::move(settings)));
  opened->clock_ = &clock;
  if (auto loaded = opened->load(); !loaded) return tl::make_unexpected(loaded.error());
  opened->fill_thread_ = std::thread([log = opened.get()] { log->fill_ahead(); });
  return opened;
}

// A process that writes the log may trim it meanwhile, so a failure counts only if the segments are still the same.
result<std::unique_ptr<segment_log>> segment_log::open_for_reading(const segment_log_settings& settings) {
  constexpr int tries_max = 1000;
  for (int i = 1;; ++i) {
    const auto before = find_segments(settings.folder);
    std::unique_ptr<segment_log> opened(new segment_log(settings));
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
    const auto file = open_file::open(settings_.folder / name_of(first), O_RDONLY);
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

result<segment_scan> segment_log::scan(const segment& what) const {
  const auto file = open_file::open(path_of(what), O_RDONLY);
  if (!file) return tl::make_unexpected(file.error());
  std::string content;
  if (const int failed = file->read(content, file->size(), 0)) {
    return fail_with(error_code::io_error, "cannot read " + place_of(what, 0) + ": " + error_text(failed));
  }
  return scan_segment(what.header, content);
}

result<void> segment_log::find_end() {
  const shared_segment& last = segments_.back();
  auto scanned = scan(*last);
  // A process that writes the log may have written a record behind one that was read before it was there.
  for (std::uint64_t end = 0;
       clock_ == nullptr && scanned && scanned->tail == segment_tail::damaged && scanned->end > end;) {
    end = scanned->end;
    scanned = scan(*last);
  }
  if (!scanned) return tl::make_unexpected(scanned.error());
  if (scanned->tail == segment_tail::damaged) return tl::make_unexpected(damage(*last, scanned->end));
  if (scanned->tail == segment_tail::torn && clock_ != nullptr) {
    if (auto cut = cut_tail(*last, scanned->end, scanned->written_end); !cut) return cut;
    settings_.on_error("the log ended in a record that was not written to its end, so never acknowledged; cut off: " +
                       place_of(*last, scanned->end));
  }
  last->groups = std::move(scanned->groups);
  last->end = scanned->end;
  appended_end_ = {last, scanned->end, scanned->hash, scanned->time.value_or(timestamp{})};
  appended_ = durable_ = scanned->last.number;
  recovered_time_ = scanned->time;
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
    if (!recovered_time_) recovered_time_ = full->time;
    if (!recovered_clock_) recovered_clock_ = full->clock;
    appended_end_.time = recovered_time_.value_or(timestamp{});
  }
  durable_end_ = appended_end_;

  if (clock_ == nullptr) return {};
  auto file = open_file::open(path_of(*last), O_RDWR);
  if (!file) return tl::make_unexpected(file.error());
  last->file.emplace(std::move(*file));
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

// --- writing ---

tl::expected<position, log_error> segment_log::append(std::span<const entry> entries) {
  CHECK(clock_ != nullptr && entries.size() <= group_entries_max);
  if (failed_) return tl::make_unexpected(log_error::failed_earlier);
  if (entries.empty()) return appended();

  end_state next = appended_end_;
  log_record_header header;
  header.entries = static_cast<std::uint32_t>(entries.size());
  header.epoch = epoch_of_one_machine;
  header.first = {appended().number + 1};
  // Without a sync to the disk a later record may survive a power loss that an earlier one does not.
  if (settings_.syncs_to_disk) header.durable = last();
  for (const entry& each : entries) next.time = std::max(next.time, decided_at(each));
  header.time = next.time;
  header.hash_before = next.hash;

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
  if (auto filled = fill(*next.in, next.end + buffer_.size()); !filled) return failed_write(filled.error().message);
  if (const int error = next.in->file->write(buffer_, next.end)) {
    return failed_write(place_of(*next.in, next.end) + ": " + error_text(error));
  }

  clock_changes_ = clock_changes;
  const group_place place{header.first, next.end};
  next.end += buffer_.size();
  next.hash = header.hash;
  const std::lock_guard lock(mutex_);
  next.in->groups.push_back(place);
  next.in->end = next.end;
  if (next.in->filled - next.end < fill_below_bytes && next.in->filled < settings_.segment_bytes) {
    fill_wanted_ = true;
    fill_changed_.notify_all();
  }
  appended_end_ = std::move(next);
  appended_.store(header.last().number, std::memory_order_release);
  return header.last();
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
                  full.hash};
  auto file = make_segment(made->header, folder_->lasting_path());
  if (!file) return tl::make_unexpected(file.error());
  made->file.emplace(std::move(*file));
  made->filled = segment_header_bytes;
  const std::lock_guard lock(mutex_);
  segments_.push_back(made);
  return made;
}

// Fills the file with zeros, durably, if it does not reach up to there.
result<void> segment_log::fill(segment& what, std::uint64_t upto) {
  if (upto <= what.filled) return {};
  const std::lock_guard lock(fill_mutex_);
  if (upto <= what.filled) return {};
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
  CHECK(clock_ != nullptr);
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
  if (durable_end_.in != to.in) {
    for (const shared_segment& each : segments_) {
      if (each == to.in) break;
      each->file.reset();
    }
  }
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
// its time and the clock in it.
void segment_log::trim() {
  for (;;) {
    shared_segment oldest;
    {
      const std::lock_guard lock(mutex_);
      std::uint64_t unneeded = last().number - std::min(last().number, settings_.entries_kept);
      for (std::size_t i = 0; i < log_consumers; ++i) {
        if (settings_.consumed[i]) unneeded = std::min(unneeded, released_[i].number);
      }
      if (segments_.size() < 2 || segments_[1]->header.first.number > unneeded + 1) return;
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

// Durably, so that a crash that brings an older segment back brings those behind it back as well. Returns 0 or the
// errno of the failure.
int segment_log::remove_segment(position first) const {
  if (::unlink((folder_->lasting_path() / name_of(first)).c_str()) != 0 && errno != ENOENT) return errno;
  return sync_folder(folder_->lasting_path());
}

// Also one that could not be made to its end.
result<void> segment_log::remove_segments_after(position last) {
  auto firsts = find_segments(folder_->lasting_path());
  if (!firsts) return tl::make_unexpected(firsts.error());
  // The last one first, so that a crash leaves no gap.
  for (; !firsts->empty() && firsts->back() > last; firsts->pop_back()) {
    if (const int error = remove_segment(firsts->back())) {
      return fail_with(error_code::io_error, "cannot remove " + quoted(settings_.folder / name_of(firsts->back())) +
                                                 ": " + error_text(error));
    }
  }
  return {};
}

// --- reading ---

position segment_log::first() const {
  const std::lock_guard lock(mutex_);
  const position begin = segments_.front()->header.first;
  return begin == position{1} && last() == position{} ? position{} : begin;
}

tl::expected<segment_log::found_group, log_read_error> segment_log::find_group(position at) const {
  for (;;) {
    shared_segment unread;
    {
      const std::lock_guard lock(mutex_);
      const auto after = std::upper_bound(segments_.begin(), segments_.end(), at,
                                          [](position p, const shared_segment& s) { return p < s->header.first; });
      if (after == segments_.begin()) return tl::make_unexpected(log_read_error::trimmed);
      const shared_segment& in = *std::prev(after);
      if (!in->groups.empty()) {
        const auto next = std::upper_bound(in->groups.begin(), in->groups.end(), at,
                                           [](position p, const group_place& g) { return p < g.first; });
        return found_group{in, *std::prev(next), next == in->groups.end() ? in->end : next->offset};
      }
      unread = in;
    }
    if (!load_groups(unread)) return tl::make_unexpected(log_read_error::storage_failed);
  }
}

// Reads the places of the groups of a full segment. Returns false if that failed.
bool segment_log::load_groups(const shared_segment& of) const {
  auto scanned = scan(*of);
  if (!scanned) {
    settings_.on_error("a read from the log failed: " + scanned.error().message);
    return false;
  }
  const std::lock_guard lock(mutex_);
  const auto next = std::find_if(segments_.begin(), segments_.end(),
                                 [&](const shared_segment& s) { return s->header.first > of->header.first; });
  const bool is_followed = next != segments_.end();
  if (scanned->groups.empty() || (is_followed && ((*next)->header.first.number != scanned->last.number + 1 ||
                                                  (*next)->header.hash_before != scanned->hash))) {
    settings_.on_error("a read from the log failed: " + damage(*of, scanned->end).message);
    return false;
  }
  of->groups = std::move(scanned->groups);
  of->end = scanned->end;
  return true;
}

tl::expected<std::vector<entry>, log_read_error> segment_log::read_group(const open_file& file,
                                                                         const found_group& what) const {
  std::string record;
  const std::uint64_t offset = what.place.offset;
  if (const int error = file.read(record, what.end - offset, offset)) return failed_read(*what.in, error_text(error));
  const auto header = decode_log_record_header(record);
  const bool is_whole = header && header->first == what.place.first &&
                        log_record_bytes(header->payload_bytes) == record.size() && is_intact(*header, record);
  auto group = is_whole ? decode_log_group(payload_of(*header, record)) : std::nullopt;
  if (!group || group->entries.size() != header->entries) {
    return failed_read(*what.in, damage(*what.in, offset).message);
  }
  return std::move(group->entries);
}

tl::expected<std::vector<logged_entry>, log_read_error> segment_log::read(position from, std::size_t limit) const {
  std::vector<logged_entry> entries;
  std::size_t items = 0;
  std::size_t captured_bytes = 0;
  position next = std::max(from, position{1});
  const position end = last();
  shared_segment open;
  std::optional<open_file> file;
  while (next <= end && entries.size() < limit) {
    const auto found = find_group(next);
    if (!found) return tl::make_unexpected(found.error());
    if (found->in != open) {
      auto opened = open_file::open(path_of(*found->in), O_RDONLY);
      if (!opened) {
        // It may have been trimmed since.
        if (first() > next) return tl::make_unexpected(log_read_error::trimmed);
        return failed_read(*found->in, opened.error().message);
      }
      file.emplace(std::move(*opened));
      open = found->in;
    }
    auto group = read_group(*file, *found);
    if (!group) return tl::make_unexpected(group.error());
    for (std::size_t i = next.number - found->place.first.number; i < group->size(); ++i) {
      if (next > end || entries.size() == limit) return entries;
      entry& each = (*group)[i];
      captured_bytes += captured_bytes_of(each);
      const auto* message = std::get_if<message_entry>(&each);
      if (message != nullptr && message->after != nullptr) items += message->after->content.items.size();
      entries.push_back({next, std::move(each)});
      ++next.number;
      if (items >= log_read_items_max || captured_bytes >= log_read_captured_bytes_max) return entries;
    }
  }
  return entries;
}

tl::expected<std::uint64_t, log_read_error> segment_log::bytes_after(position at) const {
  if (at >= last()) return 0;
  const auto from = find_group(std::max(first(), position{at.number + 1}));
  if (!from) return tl::make_unexpected(from.error());
  const std::lock_guard lock(mutex_);
  const std::uint64_t end = durable_end_.in->header.bytes_before + durable_end_.end;
  return end - std::min(end, from->in->header.bytes_before + from->place.offset);
}

// --- errors ---

// By way of the folder's descriptor, wherever the folder is now.
fs::path segment_log::path_of(const segment& which) const {
  return folder_->lasting_path() / name_of(which.header.first);
}

// With the path that the user knows.
std::string segment_log::place_of(const segment& where, std::uint64_t offset) const {
  return quoted(settings_.folder / name_of(where.header.first)) + " at byte " + std::to_string(offset);
}

error segment_log::damage(const segment& where, std::uint64_t offset) const {
  return {error_code::damaged,
          "the log is damaged in " + place_of(where, offset) +
              "; nothing was changed: restore the data folder from a back-up, or keep it for a repair"};
}

tl::unexpected<log_read_error> segment_log::failed_read(const segment& where, std::string_view why) const {
  settings_.on_error("a read from the log failed: " + quoted(settings_.folder / name_of(where.header.first)) + ": " +
                     std::string(why));
  return tl::make_unexpected(log_read_error::storage_failed);
}

}  // namespace ordem::storage
