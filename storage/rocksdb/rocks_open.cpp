// Opening a data folder: finds the end of the log and checks that the orders are what it says.

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "engine/rules/decide.hpp"
#include "storage/records/clock_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/log_group.hpp"
#include "storage/rocksdb/rocks_store.hpp"
#include "storage/rocksdb/wal_scan.hpp"

namespace ordem::storage {
namespace {

// How many log groups the check at start folds again: some thousands of entries, a few milliseconds.
constexpr int groups_checked_at_start = 64;
// Captured responses may make them large; then fewer.
constexpr std::size_t bytes_checked_at_start = std::size_t{64} << 20;

timestamp time_of(const entry& what) {
  const auto* changed = std::get_if<capture_entry>(&what);
  return changed != nullptr ? changed->at : std::get<message_entry>(what).record.created_at;
}

// How often a folder that is being written is tried to be opened for reading.
constexpr int read_only_opens_max = 10;

}  // namespace

error rocks_store::cannot_open(const rocksdb::Status& status) const {
  const std::string folder = "'" + settings_.folder.string() + "'";
  if (status.IsCorruption()) {
    return {error_code::damaged,
            "the data in " + folder + " is damaged (" + text_of(status) +
                "); nothing was changed: restore the folder from a back-up, or keep it for a repair"};
  }
  return {error_code::io_error, "cannot open the data in " + folder + ": " + text_of(status)};
}

// Cuts off a record that was never acknowledged, which RocksDB would take for damage.
std::optional<error> rocks_store::drop(const torn_record& torn) const {
  const std::string folder = "'" + settings_.folder.string() + "'";
  if (!folder_) {
    return error{error_code::incomplete, "the write-ahead log in " + folder +
                                             " ends in a record that was not written to its end (" + place_of(torn) +
                                             "); `ordem serve` on the folder cuts it off"};
  }
  if (const auto why = cut_off(torn)) {
    return error{error_code::io_error, "cannot cut off the torn end of the write-ahead log in " + folder + " (" +
                                           place_of(torn) + "): " + why.message()};
  }
  settings_.on_error(
      "the write-ahead log ended in a record that was not written to its end, so never acknowledged; cut off: " +
      place_of(torn));
  return std::nullopt;
}

std::optional<error> rocks_store::open_database() {
  const auto descriptors = family_descriptors(settings_, expired_);
  std::string path = database_path(settings_.folder).string();
  if (folder_) {
    std::error_code ignored;  // what can't be removed RocksDB says itself
    std::filesystem::remove_all(incoming_path(settings_.folder), ignored);
    for (const auto& each : {database_path(settings_.folder), incoming_path(settings_.folder)}) {
      if (auto made = make_folder(each); !made) return made.error();
    }
    auto database = held_folder::open(path);
    if (!database) return database.error();
    auto incoming = held_folder::open(incoming_path(settings_.folder));
    if (!incoming) return incoming.error();
    // RocksDB works by path all the time: by this one it never reaches a folder that has come in the place of its own.
    path = database->lasting_path().string();
    database_folder_.emplace(std::move(*database));
    incoming_folder_.emplace(std::move(*incoming));
  }
  const log_scan scanned = scan_write_ahead_logs(database_path(settings_.folder));
  if (scanned.damage) return cannot_open(rocksdb::Status::Corruption("the write-ahead log in " + *scanned.damage));
  if (scanned.torn) {
    if (auto failure = drop(*scanned.torn)) return failure;
  }
  rocksdb::DB* db = nullptr;
  const auto options = database_options(settings_, [this](std::string_view what) {
    // After a failed write, RocksDB goes on to report what follows from it.
    if (!failure_reported_) settings_.on_error(with_known_path(std::string(what)));
  });
  rocksdb::Status status;
  if (folder_) {
    status = rocksdb::DB::Open(options, path, descriptors, &families_, &db);
  } else {
    // A process that writes the folder may remove a file between our reading its name and opening it; the next list of
    // names is without it.
    for (int i = 0; i < read_only_opens_max; ++i) {
      status = rocksdb::DB::OpenForReadOnly(options, path, descriptors, &families_, &db);
      if (status.ok()) break;
    }
  }
  if (!status.ok()) return cannot_open(status);
  db_.reset(db);
  written_ = synced_ = shown_ = make_view({});
  return std::nullopt;
}

// Lets the clock go on from the newest record of the log and from the state that it had.
std::optional<error> rocks_store::resume_clock(std::optional<timestamp> newest) {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get({}, families_.back(), clock_key, &value);
  if (!status.ok() && !status.IsNotFound()) return cannot_open(status);
  const auto kept = status.ok() ? decode_clock_state(value.ToStringView()) : std::nullopt;
  if (status.ok() && !kept) return cannot_open(rocksdb::Status::Corruption("the state of the clock"));
  if (kept) newest = std::max(newest, std::optional(kept->time));
  clock_.resume(newest, kept);
  if (newest) {
    newest_ = *newest;
    expired_.confirm_durable(*newest);
  }
  return std::nullopt;
}

// Finds the last position and folds the last groups of the log again, with the same apply as live traffic: the orders
// must be what the log says.
std::optional<error> rocks_store::check_end_of_log() {
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}, handle(family::log)));
  at->SeekToLast();
  std::optional<position> from;
  std::optional<timestamp> newest;
  std::size_t bytes = 0;
  for (int i = 0; at->Valid() && i < groups_checked_at_start && bytes < bytes_checked_at_start; ++i, at->Prev()) {
    const auto first = decode_log_key(at->key().ToStringView());
    const auto group = decode_log_group(at->value().ToStringView());
    if (!first || !group) {
      return cannot_open(rocksdb::Status::Corruption("a group at the end of the log can't be read"));
    }
    const std::uint64_t end = first->number + group->entries.size();
    if (!from) {
      log_bytes_ = group->bytes_before + at->value().size();
      appended_ = durable_ = visible_ = end - 1;
    } else if (end != from->number) {
      break;  // see trim_log(): what stands before a gap is not of the log any more
    }
    from = first;
    bytes += at->value().size();
    for (const auto& each : group->entries) newest = std::max(newest, std::optional(time_of(each)));
  }
  if (!at->status().ok()) return cannot_open(at->status());
  if (auto failure = resume_clock(newest)) return failure;
  if (!from) return std::nullopt;

  const auto disagree = [this](const std::string& difference) {
    return cannot_open(rocksdb::Status::Corruption("the log and the data do not agree about " + difference));
  };
  std::unordered_map<capture_key, shared_capture> captures;
  while (*from <= last()) {
    const auto entries = read_log(*from, group_entries_max);
    if (!entries) return disagree("an order that the log names");
    for (const logged_entry& each : *entries) {
      if (const auto* changed = each.capture()) {
        captures[changed->key] = changed->after;
      } else if (auto difference = difference_in(*each.message()); !difference.empty()) {
        return disagree(difference);
      }
    }
    from = position{from->number + entries->size()};
  }
  for (const auto& [key, after] : captures) {
    if (!is_as_logged(key, after)) return disagree("the capture " + std::string(key.view()));
  }
  return std::nullopt;
}

std::optional<error> rocks_store::find_newest_order() {
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}, handle(family::orders)));
  at->SeekToLast();
  if (!at->status().ok()) return cannot_open(at->status());
  if (!at->Valid()) return std::nullopt;
  newest_order_ = decode_order_key(at->key().ToStringView());
  return newest_order_ ? std::nullopt : std::optional(cannot_open(rocksdb::Status::Corruption("a key of an order")));
}

// Whether the capture is as its last entry says. It need not be there any more once it has expired by the newest time
// known, which is never before that by which it was dropped: see expired_record_filter. The steps of the clock are not
// looked at, which only keep it longer.
bool rocks_store::is_as_logged(const capture_key& key, const shared_capture& after) const {
  const auto found = find_capture(key, timestamp::min());  // also if it has expired
  if (!found) return false;
  if (*found == nullptr) return after == nullptr || !after->is_kept_at(std::max(clock_.now(), newest_.load()));
  return after != nullptr && **found == *after;
}

// What is not as the entry says, if anything.
std::string rocks_store::difference_in(const message_entry& logged) const {
  if (logged.after == nullptr) return {};
  const order& after = *logged.after;
  shared_order before;
  if (after.version != version{1}) {
    before = find_version(after.id, {after.version.number - 1}).value_or(nullptr);
    if (before == nullptr) {
      return "a version before " + std::to_string(after.version.number) + " of order " + after.id.to_string();
    }
  }
  if (apply(before.get(), event_of(logged.record.outcome.verdict, after)) == after) return {};
  return "version " + std::to_string(after.version.number) + " of order " + after.id.to_string();
}

// A folder without FORMAT is new, or its first start was cut off: then it has no data yet.
std::optional<error> rocks_store::claim_folder() {
  if (!folder_ || !folder_->is_new()) return std::nullopt;
  if (last() != position{}) {
    return error{error_code::damaged,
                 "the data folder '" + settings_.folder.string() +
                     "' has data but no FORMAT file; restore the folder from a back-up as a whole"};
  }
  const auto written = folder_->write_format();
  return written ? std::nullopt : std::optional(written.error());
}

namespace {

open_result open(store_settings settings, time_source& clock, std::string log_id, std::optional<data_folder> folder) {
  auto opened = std::make_unique<rocks_store>(std::move(settings), clock, std::move(log_id), std::move(folder));
  if (auto failure = opened->open_database()) return tl::make_unexpected(std::move(*failure));
  if (auto failure = opened->check_end_of_log()) return tl::make_unexpected(std::move(*failure));
  if (auto failure = opened->find_newest_order()) return tl::make_unexpected(std::move(*failure));
  if (auto failure = opened->recover_memtables()) return tl::make_unexpected(std::move(*failure));
  if (auto failure = opened->claim_folder()) return tl::make_unexpected(std::move(*failure));
  return opened;
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

}  // namespace ordem::storage
