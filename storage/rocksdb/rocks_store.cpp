#include "storage/rocksdb/rocks_store.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/check.hpp"
#include "storage/records/capture_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/order_record.hpp"
#include "storage/rocksdb/index_files.hpp"
#include "storage/rocksdb/recovery.hpp"

namespace ordem::storage {
namespace {

constexpr std::string_view folder_removed =
    "the data folder was removed or replaced while it was in use; acknowledged data is in the removed folder";

}  // namespace

// --- opening ---

result<void> rocks_store::open() {
  const auto access = folder_ ? database_access::write : database_access::read;
  auto opened = database_.open(access, expired_, [this](std::string_view what) {
    // After a failed write RocksDB goes on to log its consequences.
    if (!failure_reported_) settings_.on_error(what);
  });
  if (!opened) return opened;
  if (auto recovered = recover(); !recovered) return recovered;
  if (auto claimed = claim_folder(); !claimed) return claimed;
  if (folder_) index_.start();
  return {};
}

result<void> rocks_store::recover() {
  const recovery from(database_, records_, log_);
  const auto tail = from.find_log_tail();
  if (!tail) return tl::make_unexpected(tail.error());
  log_.resume(tail->end);
  snapshots_.reset(take_snapshot(tail->end.last));
  if (auto resumed = resume_clock(tail->newest); !resumed) return resumed;
  auto checked = from.check_data(*tail, *snapshots_.durable(), std::max(clock_.now(), newest_.load()));
  if (!checked) return checked;

  const auto newest = from.find_newest_order();
  if (!newest) return tl::make_unexpected(newest.error());
  newest_order_ = *newest;

  const auto indexed = from.fill(index_, last(), *take_snapshot({}));  // no memtable has a record at position 0
  if (!indexed) return tl::make_unexpected(indexed.error());
  indexed_ = indexed->number;
  snapshots_.reset(take_snapshot(last()));
  return {};
}

// Lets the clock continue from its last written state and the newest record of the log.
result<void> rocks_store::resume_clock(std::optional<timestamp> newest) {
  const auto kept = database_.read_clock();
  if (!kept) return tl::make_unexpected(kept.error());
  if (*kept) newest = std::max(newest, std::optional((*kept)->time));
  clock_.resume(newest, *kept);
  if (newest) {
    newest_ = *newest;
    expired_.confirm_durable(*newest);
  }
  return {};
}

// A folder without FORMAT is new, or its first start was cut off. In both cases it has no data yet.
result<void> rocks_store::claim_folder() {
  if (!folder_ || !folder_->is_new()) return {};
  if (last() != position{}) {
    return fail_with(error_code::damaged,
                     "the data folder '" + settings_.folder.string() +
                         "' has data but no FORMAT file; restore the folder from a back-up as a whole");
  }
  return folder_->write_format();
}

namespace {

open_result open(store_settings settings, time_source& clock, std::string log_id, std::optional<data_folder> folder) {
  auto store = std::make_unique<rocks_store>(std::move(settings), clock, std::move(log_id), std::move(folder));
  if (auto opened = store->open(); !opened) return tl::make_unexpected(std::move(opened.error()));
  return store;
}

}  // namespace

open_result open_store(store_settings settings, time_source& clock) {
  auto folder = data_folder::open(settings.folder);
  if (!folder) return tl::make_unexpected(folder.error());
  std::string log_id = folder->log_id();
  return open(std::move(settings), clock, std::move(log_id), std::move(*folder));
}

open_result open_store_for_reading(store_settings settings, time_source& clock) {
  auto log_id = check_data_folder(settings.folder);
  if (!log_id) return tl::make_unexpected(log_id.error());
  return open(std::move(settings), clock, std::move(*log_id), std::nullopt);
}

// --- the log ---

void rocks_store::put(family which, std::string_view key, std::string_view value) {
  const auto status = batch_.Put(database_.handle(which), key, value);
  CHECK(status.ok());
}

void rocks_store::put_order(const message_entry& what) {
  const order& after = *what.after;
  key_.clear();
  value_.clear();
  encode_order_key(key_, after.id);
  encode_order(value_, after);
  put(family::orders, key_, value_);
  if (what.before == nullptr) return;

  const order& before = *what.before;
  put(family::versions, encoded(encode_version_key, after.id, before.version), encoded(encode_order, before));
}

void rocks_store::put_capture(const capture_entry& what) {
  key_.clear();
  value_.clear();
  encode_capture_key(key_, what.key);
  if (what.after) {
    encode_capture(value_, *what.after);
    put(family::captures, key_, value_);
  } else {
    const auto status = batch_.Delete(database_.handle(family::captures), key_);
    CHECK(status.ok());
  }
}

tl::expected<position, log_error> rocks_store::append(std::span<const entry> entries) {
  CHECK(folder_.has_value() && entries.size() <= group_entries_max);
  if (failed_) return tl::make_unexpected(log_error::failed_earlier);
  if (failure_reported_) return failed_write("the indexes");  // the index thread failed, and has reported it
  const position first{appended().number + 1};
  if (entries.empty()) return appended();

  batch_.Clear();
  timestamp newest = newest_.load(std::memory_order_relaxed);
  for (const entry& each : entries) {
    if (const auto* changed = std::get_if<capture_entry>(&each)) {
      newest = std::max(newest, changed->at);
      put_capture(*changed);
      continue;
    }
    const auto& message = std::get<message_entry>(each);
    newest = std::max(newest, message.record.created_at);
    if (message.after != nullptr) put_order(message);
  }
  // In the batch of the first entries that may be dated after the change, so that no start finds them without it.
  const std::uint64_t clock_changes = clock_.changes();
  if (clock_changes != clock_changes_) database_.put_clock(batch_, clock_.state());
  log_.append(batch_, first, entries);

  if (const auto status = database_->Write({}, &batch_); !status.ok()) return failed_write(database_.text_of(status));
  clock_changes_ = clock_changes;
  newest_.store(newest, std::memory_order_release);
  log_.confirm_append();
  index_.add(entries, first);
  const position last{first.number + entries.size() - 1};
  snapshots_.set_appended(take_snapshot(last));
  return last;
}

tl::expected<position, log_error> rocks_store::sync() {
  CHECK(folder_.has_value());
  if (failed_) return tl::make_unexpected(log_error::failed_earlier);
  auto appended = snapshots_.appended();
  if (appended->last() == last()) return last();
  if (settings_.durability != durability::os) {
    const timestamp newest = newest_.load(std::memory_order_acquire);
    if (const auto status = database_->SyncWAL(); !status.ok()) return failed_write(database_.text_of(status));
    expired_.confirm_durable(newest);
  }
  if (!database_.is_in_place()) return failed_write(folder_removed);
  const position through = appended->last();
  snapshots_.set_durable(std::move(appended));
  index_.confirm_durable(through);
  return through;
}

tl::expected<std::vector<logged_entry>, log_read_error> rocks_store::read_log(position from, std::size_t limit) const {
  from = std::max(from, position{1});
  if (from > last()) return {};
  return log_.read(from, limit, *snapshots_.durable());
}

tl::expected<std::uint64_t, log_read_error> rocks_store::bytes_after(position at) const {
  if (at >= last()) return 0;
  return log_.bytes_after(at, *snapshots_.durable());
}

void rocks_store::confirm_persisted(position through) {
  persisted_.store(through.number, std::memory_order_relaxed);
  snapshots_.confirm_persisted(through);
}

void rocks_store::trim_log() {
  std::uint64_t needed_from = last().number - std::min(last().number, settings_.log_entries_kept);
  needed_from = std::min(needed_from, indexed_.load(std::memory_order_relaxed));
  if (settings_.log_is_consumed) needed_from = std::min(needed_from, persisted_.load(std::memory_order_relaxed));
  const auto status = log_.trim(needed_from);
  if (!status.ok()) settings_.on_error("the log can't be trimmed: " + database_.text_of(status));
}

// --- the indexes ---

// Called by index_, on its thread or by close().
bool rocks_store::write_index(const memtable& what) {
  std::vector<rocksdb::IngestExternalFileArg> files;
  auto status = write_index_files(database_, what, files);
  // The indexes must not survive a log that does not.
  if (status.ok() && settings_.durability == durability::os) {
    const timestamp newest = newest_.load(std::memory_order_acquire);
    status = database_->SyncWAL();
    if (status.ok()) expired_.confirm_durable(newest);
  }
  if (status.ok()) status = database_->IngestExternalFiles(files);
  if (!status.ok()) {
    report_failure("the indexes can't be written: " + database_.text_of(status));
    return false;
  }
  indexed_ = what.last.number;
  trim_log();
  return true;
}

// --- failures ---

// Reports only the first failure: on a full disk every write fails. RocksDB never recovers from the lack of a
// descriptor for a table file or a log; see app/process/file_limit.hpp.
void rocks_store::report_failure(std::string_view why) {
  if (failure_reported_.exchange(true)) return;
  const bool no_descriptors = why.find("Too many open files") != std::string_view::npos;
  settings_.on_error("a write failed, nothing more is accepted until a restart: " +
                     std::string(no_descriptors ? "no file descriptors are left, which is no fault of the disk: raise "
                                                  "the limit of open files (RLIMIT_NOFILE): "
                                                : "") +
                     std::string(why));
}

tl::unexpected<log_error> rocks_store::failed_write(std::string_view why) {
  report_failure(why);
  if (failed_.exchange(true)) return tl::make_unexpected(log_error::failed_earlier);
  return tl::make_unexpected(log_error::write_failed);
}

// --- operation ---

store_stats rocks_store::stats() const {
  const auto property = [this](family which, const std::string& name) {
    std::uint64_t value = 0;
    database_->GetIntProperty(database_.handle(which), name, &value);
    return value;
  };
  store_stats now;
  now.last = last();
  now.estimated_orders = property(family::orders, rocksdb::DB::Properties::kEstimateNumKeys);
  now.estimated_messages = property(family::messages, rocksdb::DB::Properties::kEstimateNumKeys);
  for (const auto& each : *index_.memtables()) now.estimated_messages += each->messages.size();
  now.estimated_captures = property(family::captures, rocksdb::DB::Properties::kEstimateNumKeys);
  for (std::size_t i = 0; i < family_names.size(); ++i) {
    now.memtable_bytes += property(static_cast<family>(i), rocksdb::DB::Properties::kSizeAllMemTables);
    now.table_file_bytes += property(static_cast<family>(i), rocksdb::DB::Properties::kTotalSstFilesSize);
  }
  return now;
}

void rocks_store::close() {
  if (failed_) return;  // the next start decides what a failed write has left
  const auto status = database_->Flush({}, database_.families());
  if (!status.ok()) {
    settings_.on_error("the last flush failed, the next start replays the log: " + database_.text_of(status));
  } else if (!index_.flush_remaining(appended())) {
    settings_.on_error("the indexes could not be written, the next start rebuilds them from the log");
  }
}

}  // namespace ordem::storage
