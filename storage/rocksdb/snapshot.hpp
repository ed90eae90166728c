// A state of the data up to a position, which one read is served from. Only for storage/rocksdb/*.cpp.
//
// Files and memtables change seldom, when a memtable is full or has been written; entries are added to the newest
// memtable all the time. So a snapshot is a shared pointer to the files and memtables, and a position: records of later
// entries in these memtables are ignored.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "engine/model/ids.hpp"
#include "storage/rocksdb/memtable_set.hpp"

namespace ordem::storage {

// The table files of a moment, and the memtables that they lack. Immutable; any thread. The database must outlive it.
class file_set {
 public:
  file_set(rocksdb::DB& db, std::shared_ptr<const memtable_list> memtables)
      : db_(db), snapshot_(db.GetSnapshot()), memtables_(std::move(memtables)) {
    options_.snapshot = snapshot_;
  }
  ~file_set() { db_.ReleaseSnapshot(snapshot_); }
  file_set(const file_set&) = delete;
  file_set& operator=(const file_set&) = delete;

  const rocksdb::ReadOptions& options() const noexcept { return options_; }
  const memtable_list& memtables() const noexcept { return *memtables_; }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
  rocksdb::ReadOptions options_;
  const std::shared_ptr<const memtable_list> memtables_;
};

// A value, cheap to copy. Any thread.
class snapshot {
 public:
  snapshot(std::shared_ptr<const file_set> files, position last) noexcept : files_(std::move(files)), last_(last) {}

  const rocksdb::ReadOptions& options() const noexcept { return files_->options(); }
  // Records of later entries may be in the files, if these were written since; never in a memtable.
  position last() const noexcept { return last_; }
  // They live as long as the snapshot, so not those of a temporary one.
  const memtable_list& memtables() const& noexcept { return files_->memtables(); }
  const memtable_list& memtables() const&& = delete;
  // Returns the newest record of this key in one of the tables of the memtables, or null if there is none. The record
  // lives as long as the snapshot.
  const recent_record* find_recent(recent_records memtable::* table, std::string_view key) const noexcept {
    for (const auto& each : memtables()) {
      if (const recent_record* found = ((*each).*table).find(key, last_)) return found;
    }
    return nullptr;
  }
  // Returns the same state with the entries up to that position.
  snapshot up_to(position last) const noexcept { return {files_, last}; }

 private:
  std::shared_ptr<const file_set> files_;
  position last_;
};

// The snapshot that new reads are served from. Owned by the view. Thread-safe.
class visible_snapshot {
 public:
  snapshot get() const {
    const std::lock_guard lock(mutex_);
    return {files_, {last_.load(std::memory_order_relaxed)}};
  }
  position last() const noexcept { return {last_.load(std::memory_order_acquire)}; }

  void set_files(std::shared_ptr<const file_set> next) {
    const std::lock_guard lock(mutex_);
    files_.swap(next);  // the one before is released outside of the lock, and not before its last reader is done
  }
  void set_last(position last) {
    const std::lock_guard lock(mutex_);
    last_.store(last.number, std::memory_order_release);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const file_set> files_;
  std::atomic<std::uint64_t> last_{0};
};

}  // namespace ordem::storage
