// The RocksDB database of a data folder. Only for storage/rocksdb/*.cpp: others see storage/log/store.hpp.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/readers.hpp"
#include "storage/files/files.hpp"
#include "storage/log/error.hpp"
#include "storage/rocksdb/column_families.hpp"
#include "storage/rocksdb/open_view.hpp"

namespace ordem::storage {

// Returns what an encode_ function appends.
template <class Encode, class... Arguments>
std::string encoded(Encode encode, const Arguments&... arguments) {
  std::string bytes;
  encode(bytes, arguments...);
  return bytes;
}

// Owns the RocksDB instance and the handles of its column families. Owned by the view or the loader. open() is called
// once, before everything else; after that every function is thread-safe.
class database {
 public:
  // `settings` must outlive the database.
  explicit database(const view_settings& settings) noexcept : settings_(settings) {}
  // REQUIRES: no snapshot or iterator is left.
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  // Opens the database; for writing, creates it if it does not exist. For an upgrade, cuts off a torn record at the end
  // of the write-ahead log. `expired` must outlive the database.
  result<void> open(view_access access, const expired_record_filter& expired);

  rocksdb::DB& operator*() const noexcept { return *db_; }
  rocksdb::DB* operator->() const noexcept { return db_.get(); }
  rocksdb::ColumnFamilyHandle* handle(family which) const { return families_[static_cast<std::size_t>(which)]; }
  rocksdb::ColumnFamilyHandle* default_handle() const { return families_[family_names.size()]; }
  // The family of the log in data format 4. REQUIRES: opened for an upgrade.
  rocksdb::ColumnFamilyHandle* old_log_handle() const { return families_.back(); }

  // Writes everything that is in memory to files.
  rocksdb::Status flush() const;
  // Takes the files in, all or none, durably. Lets RocksDB go on first if it has stopped after a failure.
  rocksdb::Status ingest(const std::vector<rocksdb::IngestExternalFileArg>& files) const;

  // The folder for table files that are to be ingested. REQUIRES: opened for writing.
  std::filesystem::path incoming_folder() const { return incoming_folder_->lasting_path(); }

  // Records of the default family.
  //
  // The position up to which everything is in table files; 0 if there are none.
  result<position> written() const;
  void put_written(rocksdb::WriteBatch& batch, position through) const;
  // The state of the clock that was last written, if any.
  result<std::optional<clock_state>> read_clock() const;
  void put_clock(rocksdb::WriteBatch& batch, const clock_state& state) const;

  // The text of a status, with the path that the user knows in place of the one that RocksDB was given.
  std::string text_of(const rocksdb::Status& status) const;
  // The error for a database that can't be opened because of this status.
  error open_error(const rocksdb::Status& status) const;
  error damage(std::string_view what) const { return open_error(rocksdb::Status::Corruption(what)); }
  // Reports a failed read to view_settings::on_error.
  tl::unexpected<read_error> failed_read(family where, std::string_view why) const;

 private:
  result<void> hold_folders();
  result<void> cut_torn_end() const;
  result<void> drop_old_log(const rocksdb::DBOptions& options, const std::string& path) const;
  std::string with_known_path(std::string text) const;

  const view_settings& settings_;
  std::optional<held_folder> folder_;  // absent: opened for reading
  std::optional<held_folder> incoming_folder_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

// The key that put_written() writes, for a table file that does the same when it is ingested. Named in data format 4,
// where only indexes were written so.
inline constexpr std::string_view written_key = "indexed";

}  // namespace ordem::storage
