// Records that the log holds and the sorted files do not yet, found by key: an append-only table that one thread fills
// while any thread looks things up, without a lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/model/ids.hpp"
#include "storage/rocksdb/arena.hpp"

namespace ordem::storage {

// Lives as long as its table.
struct recent_record {
  position at;                 // of the entry that made it
  const recent_record* older;  // the one before it under the same key; null: none
  std::uint32_t key_bytes;
  std::uint32_t value_bytes;
  bool removed;  // the key has no value any more

  std::string_view key() const noexcept { return {bytes(), key_bytes}; }
  std::string_view value() const noexcept { return {bytes() + key_bytes, value_bytes}; }

 private:
  const char* bytes() const noexcept { return reinterpret_cast<const char*>(this + 1); }
};

// In byte order of keys, and of those with one key the newest alone.
void sort_and_keep_newest(std::vector<const recent_record*>& records);

class recent_records {
 public:
  // Takes up to that many records.
  explicit recent_records(std::size_t capacity);

  recent_records(const recent_records&) = delete;
  recent_records& operator=(const recent_records&) = delete;

  // One thread at a time; `at` does not descend.
  void put(std::string_view key, std::string_view value, position at) { insert(key, value, at, false); }
  void remove(std::string_view key, position at) { insert(key, {}, at, true); }

  // Any thread. The newest record of that key that stands at or before `upto`, if there is one.
  const recent_record* find(std::string_view key, position upto) const noexcept;

  // Any thread. Of each key its newest record at or before `upto`, in byte order of keys.
  std::vector<const recent_record*> sorted(position upto) const;

  // Any thread.
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  struct slot {
    std::uint64_t hash = 0;  // written before the record shows
    std::atomic<const recent_record*> newest{nullptr};
  };

  void insert(std::string_view key, std::string_view value, position at, bool removed);
  std::size_t slot_of(std::uint64_t hash, std::string_view key) const noexcept;

  const std::size_t capacity_;
  std::vector<slot> slots_;  // open addressing, at most half full; a power of two
  std::atomic<std::size_t> size_{0};
  arena memory_;
};

}  // namespace ordem::storage
