// States of the data up to a position, and the ones that a store holds of them. Only for storage/rocksdb/*.cpp.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "engine/model/ids.hpp"
#include "storage/rocksdb/recent_index.hpp"

namespace ordem::storage {

// A state of the data: everything up to a position, and nothing after it. Immutable; any thread. The database must
// outlive it.
class snapshot {
 public:
  // Takes the present state of the database. `recent`: the memtables, whose records the database may not have yet.
  snapshot(rocksdb::DB& db, position last, std::shared_ptr<const memtable_list> recent)
      : db_(db), snapshot_(db.GetSnapshot()), last_(last), recent_(std::move(recent)) {
    options_.snapshot = snapshot_;
  }
  ~snapshot() { db_.ReleaseSnapshot(snapshot_); }
  snapshot(const snapshot&) = delete;
  snapshot& operator=(const snapshot&) = delete;

  const rocksdb::ReadOptions& options() const noexcept { return options_; }
  position last() const noexcept { return last_; }
  const memtable_list& recent() const noexcept { return *recent_; }
  // Returns the newest record of this key in one of the tables of `recent`, or null if there is none. The record lives
  // as long as the snapshot.
  const recent_record* find_recent(recent_records memtable::* table, std::string_view key) const noexcept {
    for (const auto& each : *recent_) {
      if (const recent_record* found = ((*each).*table).find(key, last_)) return found;
    }
    return nullptr;
  }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
  rocksdb::ReadOptions options_;
  const position last_;
  const std::shared_ptr<const memtable_list> recent_;
};

using shared_snapshot = std::shared_ptr<const snapshot>;

enum class visibility : std::uint8_t { once_durable, once_persisted };

// The snapshots of a store, and the positions that they reach:
//
//   appended   after the last append
//   durable    after the last sync; the log is read from it
//   visible    the one that reads use
//   pending    durable, and not visible before they are persisted (visibility::once_persisted)
//
// Owned by the store. Thread-safe, except that only one thread at a time may call each of the functions that change it.
class snapshot_set {
 public:
  explicit snapshot_set(visibility when) noexcept : when_visible_(when) {}

  // Makes this snapshot the appended, the durable and the visible one. REQUIRES: no other thread uses the set.
  void reset(shared_snapshot all);

  // Each replaces a snapshot by a later one.
  void set_appended(shared_snapshot next);
  void set_durable(shared_snapshot next);
  // Everything up to this position is persisted. Makes the last pending snapshot up to there visible.
  void confirm_persisted(position through);

  shared_snapshot appended() const { return copy_of(appended_snapshot_); }
  shared_snapshot durable() const { return copy_of(durable_snapshot_); }
  shared_snapshot visible() const { return copy_of(visible_snapshot_); }

  // Without the lock. The position is stored after its snapshot, so that a reader of the position finds the snapshot.
  position appended_position() const noexcept { return {appended_.load(std::memory_order_acquire)}; }
  position durable_position() const noexcept { return {durable_.load(std::memory_order_acquire)}; }
  position visible_position() const noexcept { return {visible_.load(std::memory_order_acquire)}; }

 private:
  shared_snapshot copy_of(const shared_snapshot& which) const {
    const std::lock_guard lock(mutex_);
    return which;
  }

  const visibility when_visible_;
  std::atomic<std::uint64_t> appended_{0};
  std::atomic<std::uint64_t> durable_{0};
  std::atomic<std::uint64_t> visible_{0};
  mutable std::mutex mutex_;
  shared_snapshot appended_snapshot_;
  shared_snapshot durable_snapshot_;
  shared_snapshot visible_snapshot_;
  std::deque<shared_snapshot> pending_;  // oldest first
};

}  // namespace ordem::storage
