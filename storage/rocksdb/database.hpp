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
#include "storage/log/error.hpp"
#include "storage/log/store.hpp"
#include "storage/rocksdb/column_families.hpp"
#include "storage/rocksdb/data_folder.hpp"
#include "storage/rocksdb/wal_scan.hpp"

namespace ordem::storage {

// Returns what an encode_ function appends.
template <class Encode, class... Arguments>
std::string encoded(Encode encode, const Arguments&... arguments) {
  std::string bytes;
  encode(bytes, arguments...);
  return bytes;
}

enum class database_access : std::uint8_t { read, write };

// Owns the RocksDB instance and the handles of its column families. Owned by the store or the loader. open() is called
// once, before everything else; after that every function is thread-safe.
class database {
 public:
  // `settings` must outlive the database.
  explicit database(const store_settings& settings) noexcept : settings_(settings) {}
  // REQUIRES: no snapshot or iterator is left.
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  // Opens the database. With write access, creates it if it does not exist, and cuts off a torn record at the end of
  // the write-ahead log. With read access, fails with error_code::incomplete if there is such a record. `expired` must
  // outlive the database. `report_error` gets what RocksDB logs as an error, on any of its threads, until the database
  // is destroyed.
  result<void> open(database_access access, const expired_record_filter& expired,
                    std::function<void(std::string_view)> report_error);

  rocksdb::DB& operator*() const noexcept { return *db_; }
  rocksdb::DB* operator->() const noexcept { return db_.get(); }
  rocksdb::ColumnFamilyHandle* handle(family which) const { return families_[static_cast<std::size_t>(which)]; }
  rocksdb::ColumnFamilyHandle* default_handle() const { return families_.back(); }
  const std::vector<rocksdb::ColumnFamilyHandle*>& families() const noexcept { return families_; }

  // Whether the folder of the database is still where it was opened. Two system calls.
  bool is_in_place() const noexcept { return !folder_ || folder_->is_in_place(); }
  // The folder for table files that are to be ingested. REQUIRES: opened for writing.
  std::filesystem::path incoming_folder() const { return incoming_folder_->lasting_path(); }

  // Records of the default family.
  //
  // The position up to which the indexes are in table files; 0 if there are none.
  result<position> indexed() const;
  rocksdb::Status put_indexed(position through);
  // The state of the clock that was last written, if any.
  result<std::optional<clock_state>> read_clock() const;
  void put_clock(rocksdb::WriteBatch& batch, const clock_state& state) const;

  // The text of a status, with the path that the user knows in place of the one that RocksDB was given.
  std::string text_of(const rocksdb::Status& status) const;
  // The error for a database that can't be opened because of this status.
  error open_error(const rocksdb::Status& status) const;
  error damage(std::string_view what) const { return open_error(rocksdb::Status::Corruption(what)); }
  // Reports a failed read to store_settings::on_error.
  tl::unexpected<read_error> failed_read(family where, std::string_view why) const;

 private:
  result<void> hold_folders();
  result<void> cut_torn_end(database_access access) const;
  std::string with_known_path(std::string text) const;

  const store_settings& settings_;
  std::optional<held_folder> folder_;  // absent: opened for reading
  std::optional<held_folder> incoming_folder_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

// The key that put_indexed() writes, for a table file that does the same when it is ingested.
inline constexpr std::string_view indexed_key = "indexed";

}  // namespace ordem::storage
