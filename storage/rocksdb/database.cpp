#include "storage/rocksdb/database.hpp"

#include <utility>

#include "engine/base/check.hpp"
#include "storage/records/clock_record.hpp"
#include "storage/records/keys.hpp"

namespace ordem::storage {
namespace {

// A key of the default family, as indexed_key.
constexpr std::string_view clock_key = "clock";

// How often an open for reading is tried on a folder that another process writes.
constexpr int read_only_opens_max = 10;

}  // namespace

database::~database() {
  for (auto* each : families_) db_->DestroyColumnFamilyHandle(each);
}

// --- opening ---

result<void> database::open(database_access access, const expired_record_filter& expired,
                            std::function<void(std::string_view)> report_error) {
  const auto descriptors = family_descriptors(settings_, expired);
  std::string path = database_path(settings_.folder).string();
  if (access == database_access::write) {
    if (auto held = hold_folders(); !held) return held;
    // RocksDB uses the path as long as it runs. This one never leads to another folder, even if the folder is replaced.
    path = folder_->lasting_path().string();
  }
  if (auto cut = cut_torn_end(access); !cut) return cut;
  const auto options = database_options(settings_, [this, report = std::move(report_error)](std::string_view what) {
    report(with_known_path(std::string(what)));
  });
  rocksdb::DB* db = nullptr;
  rocksdb::Status status;
  if (access == database_access::write) {
    status = rocksdb::DB::Open(options, path, descriptors, &families_, &db);
  } else {
    // A process that writes the folder may remove a file after RocksDB has read its name and before it opens it. The
    // next try reads the names anew.
    for (int i = 0; i < read_only_opens_max; ++i) {
      status = rocksdb::DB::OpenForReadOnly(options, path, descriptors, &families_, &db);
      if (status.ok()) break;
    }
  }
  if (!status.ok()) return tl::make_unexpected(open_error(status));
  db_.reset(db);
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
result<void> database::cut_torn_end(database_access access) const {
  const log_scan scanned = scan_write_ahead_logs(database_path(settings_.folder));
  if (scanned.damage) return tl::make_unexpected(damage("the write-ahead log in " + *scanned.damage));
  if (!scanned.torn) return {};
  const std::string folder = "'" + settings_.folder.string() + "'";
  const std::string place = place_of(*scanned.torn);
  if (access == database_access::read) {
    return fail_with(error_code::incomplete, "the write-ahead log in " + folder +
                                                 " ends in a record that was not written to its end (" + place +
                                                 "); `ordem serve` on the folder cuts it off");
  }
  if (const auto why = cut_off(*scanned.torn)) {
    return fail_with(error_code::io_error, "cannot cut off the torn end of the write-ahead log in " + folder + " (" +
                                               place + "): " + why.message());
  }
  settings_.on_error(
      "the write-ahead log ended in a record that was not written to its end, so never acknowledged; cut off: " +
      place);
  return {};
}

// --- the default family ---

result<position> database::indexed() const {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get({}, default_handle(), indexed_key, &value);
  if (status.IsNotFound()) return position{};
  if (!status.ok()) return tl::make_unexpected(open_error(status));
  const auto through = decode_log_key(value.ToStringView());
  if (!through) return tl::make_unexpected(damage("the position of the indexes"));
  return *through;
}

rocksdb::Status database::put_indexed(position through) {
  return db_->Put({}, default_handle(), indexed_key, encoded(encode_log_key, through));
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
  CHECK(put.ok());
}

// --- errors ---

std::string database::text_of(const rocksdb::Status& status) const {
  return with_known_path(status.ToString());
}

std::string database::with_known_path(std::string text) const {
  if (!folder_) return text;
  const std::string used = folder_->lasting_path().string();
  const std::string known = database_path(settings_.folder).string();
  for (auto at = text.find(used); at != text.npos; at = text.find(used, at + known.size())) {
    text.replace(at, used.size(), known);
  }
  return text;
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
