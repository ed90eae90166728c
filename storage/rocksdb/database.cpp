#include "storage/rocksdb/database.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/check.hpp"
#include "storage/records/clock_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/rocksdb/wal_scan.hpp"

namespace ordem::storage {
namespace {

// A key of the default family, as written_key.
constexpr std::string_view clock_key = "clock";
constexpr const char* old_log_family = "log";

// How often an open for reading is tried on a folder that another process writes.
constexpr int read_only_opens_max = 10;

// Table files before the database takes them in; a start deletes those that a crash left.
std::filesystem::path incoming_path(const std::filesystem::path& folder) {
  return folder / "incoming";
}

// Replaces every occurrence of `from`.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

std::filesystem::path database_path(const std::filesystem::path& folder) {
  return folder / "db";
}

database::~database() {
  for (auto* each : families_) db_->DestroyColumnFamilyHandle(each);
}

// --- opening ---

result<void> database::open(view_access access, const expired_record_filter& expired) {
  auto descriptors = family_descriptors(settings_, expired);
  std::string path = database_path(settings_.folder).string();
  if (access != view_access::read) {
    if (auto held = hold_folders(); !held) return held;
    // RocksDB uses the path as long as it runs. This one never leads to another folder, even if the folder is replaced.
    path = folder_->lasting_path().string();
  }
  // By value: RocksDB's threads may log until after this object is destroyed.
  const auto report = [on_error = settings_.on_error, used = path, known = database_path(settings_.folder).string()](
                          std::string_view what) { on_error(replaced(std::string(what), used, known)); };
  auto options = database_options(settings_, report);
  // Else RocksDB would open a file when it is read, and a process that writes the folder may have removed it by then.
  if (access == view_access::read) options.max_open_files = -1;
  if (access == view_access::upgrade) {
    if (auto cut = cut_torn_end(); !cut) return cut;
    descriptors.emplace_back(old_log_family, rocksdb::ColumnFamilyOptions());
  } else if (access == view_access::write) {
    if (auto dropped = drop_old_log(options, path); !dropped) return dropped;
  }
  rocksdb::DB* db = nullptr;
  rocksdb::Status status;
  if (access == view_access::read) {
    // A process that writes the folder may remove a file after RocksDB has read its name and before it opens it. The
    // next try reads the names anew.
    for (int i = 0; i < read_only_opens_max; ++i) {
      status = rocksdb::DB::OpenForReadOnly(options, path, descriptors, &families_, &db);
      if (status.ok()) break;
    }
  } else {
    status = rocksdb::DB::Open(options, path, descriptors, &families_, &db);
  }
  if (!status.ok()) return tl::make_unexpected(open_error(status));
  db_.reset(db);
  return {};
}

// Drops the family of the log, which an upgrade leaves because the data was whole without it before the family was
// gone.
result<void> database::drop_old_log(const rocksdb::DBOptions& options, const std::string& path) const {
  std::vector<std::string> names;
  const auto listed = rocksdb::DB::ListColumnFamilies(options, path, &names);
  if (!listed.ok() || std::find(names.begin(), names.end(), old_log_family) == names.end()) return {};
  std::vector<rocksdb::ColumnFamilyDescriptor> all;
  all.reserve(names.size());
  rocksdb::ColumnFamilyOptions as_they_are;
  as_they_are.disable_auto_compactions = true;
  for (const std::string& each : names) all.emplace_back(each, as_they_are);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  auto status = rocksdb::DB::Open(options, path, all, &handles, &opened);
  if (!status.ok()) return tl::make_unexpected(open_error(status));
  const std::unique_ptr<rocksdb::DB> db(opened);
  for (auto* each : handles) {
    if (each->GetName() == old_log_family) status = db->DropColumnFamily(each);
  }
  for (auto* each : handles) db->DestroyColumnFamilyHandle(each);
  if (!status.ok()) return tl::make_unexpected(open_error(status));
  return {};
}

result<void> database::hold_folders() {
  std::error_code ignored;  // RocksDB reports a file that can't be removed
  std::filesystem::remove_all(incoming_path(settings_.folder), ignored);
  for (const auto& each : {database_path(settings_.folder), incoming_path(settings_.folder)}) {
    if (auto made = make_folder(each); !made) return made;
  }
  auto folder = held_folder::open(database_path(settings_.folder));
  if (!folder) return tl::make_unexpected(std::move(folder.error()));
  auto incoming = held_folder::open(incoming_path(settings_.folder));
  if (!incoming) return tl::make_unexpected(std::move(incoming.error()));
  folder_.emplace(std::move(*folder));
  incoming_folder_.emplace(std::move(*incoming));
  return {};
}

// Cuts off a record at the end of the write-ahead log that was never acknowledged. RocksDB would take it for damage.
result<void> database::cut_torn_end() const {
  const log_scan scanned = scan_write_ahead_logs(database_path(settings_.folder));
  if (scanned.damage) return tl::make_unexpected(damage("the write-ahead log in " + *scanned.damage));
  if (!scanned.torn) return {};
  const std::string place = place_of(*scanned.torn);
  if (const auto why = cut_off(*scanned.torn)) {
    return fail_with(error_code::io_error, "cannot cut off the torn end of the write-ahead log in '" +
                                               settings_.folder.string() + "' (" + place + "): " + why.message());
  }
  settings_.on_error(
      "the write-ahead log ended in a record that was not written to its end, so never acknowledged; cut off: " +
      place);
  return {};
}

// --- writing ---

rocksdb::Status database::flush() const {
  return db_->Flush({}, families_);
}

rocksdb::Status database::ingest(const std::vector<rocksdb::IngestExternalFileArg>& files) const {
  if (auto resumed = db_->Resume(); !resumed.ok()) return resumed;
  return db_->IngestExternalFiles(files);
}

// --- the default family ---

result<position> database::written() const {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get({}, default_handle(), written_key, &value);
  if (status.IsNotFound()) return position{};
  if (!status.ok()) return tl::make_unexpected(open_error(status));
  const auto through = decode_log_key(value.ToStringView());
  if (!through) return tl::make_unexpected(damage("the position of the files"));
  return *through;
}

void database::put_written(rocksdb::WriteBatch& batch, position through) const {
  const auto put = batch.Put(default_handle(), written_key, encoded(encode_log_key, through));
  ORDEM_CHECK(put.ok());
}

result<std::optional<clock_state>> database::read_clock() const {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get({}, default_handle(), clock_key, &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return tl::make_unexpected(open_error(status));
  auto state = decode_clock_state(value.ToStringView());
  if (!state) return tl::make_unexpected(damage("the state of the clock"));
  return state;
}

void database::put_clock(rocksdb::WriteBatch& batch, const clock_state& state) const {
  const auto put = batch.Put(default_handle(), clock_key, encoded(encode_clock_state, state));
  ORDEM_CHECK(put.ok());
}

// --- errors ---

std::string database::text_of(const rocksdb::Status& status) const {
  return with_known_path(status.ToString());
}

// With the path that the user knows in place of the one that RocksDB was given.
std::string database::with_known_path(std::string text) const {
  if (!folder_) return text;
  text = replaced(std::move(text), folder_->lasting_path().string(), database_path(settings_.folder).string());
  return replaced(std::move(text), incoming_folder().string(), incoming_path(settings_.folder).string());
}

error database::open_error(const rocksdb::Status& status) const {
  const std::string folder = "'" + settings_.folder.string() + "'";
  if (status.IsCorruption()) {
    return {error_code::damaged,
            "the data in " + folder + " is damaged (" + text_of(status) +
                "); nothing was changed: restore the folder from a back-up, or keep it for a repair"};
  }
  return {error_code::io_error, "cannot open the data in " + folder + ": " + text_of(status)};
}

tl::unexpected<read_error> database::failed_read(family where, std::string_view why) const {
  settings_.on_error(std::string("a read from ") + family_names[static_cast<std::size_t>(where)] +
                     " failed: " + std::string(why));
  return tl::make_unexpected(read_error::storage_failed);
}

}  // namespace ordem::storage
