// A hash table of records that are in the log and not yet in table files. Append-only; part of a memtable. One thread
// at a time adds records while any thread reads, without a lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/model/ids.hpp"
#include "storage/rocksdb/arena.hpp"

namespace ordem::storage {

// Lives as long as its table.
struct recent_record {
  position at;                 // of the entry that made the record
  const recent_record* older;  // the record before it under the same key, or null
  std::uint32_t key_bytes;
  std::uint32_t value_bytes;
  bool removed;  // a tombstone: the key has no value

  std::string_view key() const noexcept { return {bytes(), key_bytes}; }
  std::string_view value() const noexcept { return {bytes() + key_bytes, value_bytes}; }

 private:
  const char* bytes() const noexcept { return reinterpret_cast<const char*>(this + 1); }
};

// Sorts records in byte order of keys, and keeps only the newest of each key.
void sort_and_keep_newest(std::vector<const recent_record*>& records);

class recent_records {
 public:
  // Has room for this many records.
  explicit recent_records(std::size_t capacity) noexcept;

  recent_records(const recent_records&) = delete;
  recent_records& operator=(const recent_records&) = delete;

  // Allocates the table, which the first record does otherwise. REQUIRES: there is no record.
  void allocate();

  // REQUIRES: `at` is not less than in the call before. One thread at a time.
  void put(std::string_view key, std::string_view value, position at) { insert(key, value, at, false); }
  void remove(std::string_view key, position at) { insert(key, {}, at, true); }

  // Returns the newest record of the key at or before `upto`, or null. Thread-safe.
  const recent_record* find(std::string_view key, position upto) const noexcept;

  // Returns the newest record of each key at or before `upto`, in byte order of keys. Thread-safe.
  std::vector<const recent_record*> sorted(position upto) const;

  // Thread-safe.
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  // Returns the size of the records in memory, without the table. Thread-safe.
  std::size_t bytes() const noexcept { return memory_.bytes(); }

 private:
  struct slot {
    std::uint64_t hash = 0;  // written before `newest`
    std::atomic<const recent_record*> newest{nullptr};
  };

  void insert(std::string_view key, std::string_view value, position at, bool removed);
  slot& slot_of(slot* table, std::uint64_t hash, std::string_view key) const noexcept;

  const std::size_t capacity_;
  const std::size_t slots_;  // open addressing, at most half full; a power of two
  std::unique_ptr<slot[]> owned_;
  std::atomic<slot*> table_{nullptr};  // null until there is a record, since many tables stay empty
  std::atomic<std::size_t> size_{0};
  arena memory_;
};

}  // namespace ordem::storage
