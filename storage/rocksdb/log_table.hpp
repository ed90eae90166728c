// The records of the log: one for each group of entries. Only for storage/rocksdb/*.cpp.
#pragma once

#include <rocksdb/write_batch.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/model/ids.hpp"
#include "storage/log/entry.hpp"
#include "storage/log/store.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/record_reader.hpp"
#include "storage/rocksdb/snapshot_set.hpp"

namespace ordem::storage {

// Where the log ends.
struct log_end {
  position last;
  // Of all log records up to there.
  std::uint64_t bytes = 0;
};

// Owned by the store. Functions that take a snapshot are thread-safe and read the log as of it.
class log_table {
 public:
  // Both must outlive the table.
  log_table(database& db, const record_reader& records) noexcept : db_(db), records_(records) {}

  // Sets the end behind which append() continues. REQUIRES: nothing was appended.
  void resume(log_end end) noexcept { bytes_ = end.bytes; }

  // Adds the record of a group to the batch; the first of its entries gets position `first`. confirm_append() follows
  // once the batch is written. One thread at a time.
  void append(rocksdb::WriteBatch& batch, position first, std::span<const entry> entries);
  void confirm_append() noexcept { bytes_ += value_.size(); }

  // As log::read_log(), log::first() and log::bytes_after().
  tl::expected<std::vector<logged_entry>, log_read_error> read(position from, std::size_t limit,
                                                               const snapshot& as_of) const;
  tl::expected<position, log_read_error> first(const snapshot& as_of) const;
  tl::expected<std::uint64_t, log_read_error> bytes_after(position at, const snapshot& as_of) const;

  // Deletes table files that hold only groups before `needed_from`. A group that begins group_entries_max before it
  // also ends before it. RocksDB skips a file that is being compacted. Such a file may remain until a later call,
  // although the files after it are deleted, so the log may have gaps before `needed_from`. Thread-safe.
  rocksdb::Status trim(std::uint64_t needed_from);

 private:
  std::unique_ptr<rocksdb::Iterator> seek_group(position at, const snapshot& as_of) const;
  read_result<shared_order> find_order_after(const outcome& result, const snapshot& as_of) const;

  database& db_;
  const record_reader& records_;

  // Only for the appending thread. The strings are kept for their memory.
  std::uint64_t bytes_ = 0;
  std::string key_;
  std::string value_;
};

}  // namespace ordem::storage
