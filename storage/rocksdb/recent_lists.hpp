// Sorted lists of keys that are in the log and not yet in table files; part of a memtable. The keys of a list begin
// with its name. One thread at a time adds keys while any thread reads, without a lock.
//
// Each list is a skip list. The key of a new order goes to the front of its customer's list, because ids ascend and
// keys hold them inverted, which costs one comparison a level. Other keys go further back, in logarithmic time: ids
// that shards make at the same time reach the log in any order, the clock may have been set back, and an old order may
// move to another customer.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/model/ids.hpp"
#include "storage/rocksdb/arena.hpp"

namespace ordem::storage {

// A key that was added to its list, or a tombstone for it. Lives as long as the lists. In memory:
//   listed_key | links to the records behind it, one a level | key
struct listed_key {
  using link = std::atomic<listed_key*>;

  position at;  // of the entry that made the record
  std::uint32_t name_bytes;
  std::uint32_t key_bytes;
  std::uint8_t levels;
  bool removed;

  std::string_view name() const noexcept { return key().substr(0, name_bytes); }
  std::string_view key() const noexcept { return {reinterpret_cast<const char*>(links() + levels), key_bytes}; }
  std::string_view value() const noexcept { return {}; }

  const link* links() const noexcept { return reinterpret_cast<const link*>(this + 1); }
  link& next(std::size_t level) noexcept { return reinterpret_cast<link*>(this + 1)[level]; }
};

class recent_lists {
  struct list;

 public:
  // Has room for this many records, in so many lists.
  recent_lists(std::size_t capacity, std::size_t lists_max) noexcept;

  recent_lists(const recent_lists&) = delete;
  recent_lists& operator=(const recent_lists&) = delete;

  // Allocates the table of lists, which the first record does otherwise. REQUIRES: there is no record.
  void allocate();

  // The first `name_bytes` of the key are the name of its list. REQUIRES: `at` is not less than in the call before. One
  // thread at a time.
  void put(std::string_view key, std::size_t name_bytes, position at) { insert(key, name_bytes, at, false); }
  void remove(std::string_view key, std::size_t name_bytes, position at) { insert(key, name_bytes, at, true); }

  // The keys of one list in byte order, each with its newest record at or before a position. Keys that are added later
  // are not visible. One thread at a time; each thread may have its own cursors.
  class cursor {
   public:
    // Returns null after the last key.
    const listed_key* get() const noexcept { return at_; }
    // REQUIRES: get() is not null.
    void next() noexcept;

   private:
    friend class recent_lists;
    cursor(list* of, listed_key* at, position upto) noexcept : list_(of), at_(at), upto_(upto) { skip_newer(); }
    void skip_newer() noexcept;

    list* list_;
    listed_key* at_;
    position upto_;
  };

  // Returns a cursor at the first key of the list that is not less than `from`. Thread-safe.
  cursor seek(std::string_view name, std::string_view from, position upto) const noexcept;

  // Returns the newest record of each key of all lists at or before `upto`, in byte order of keys. Thread-safe.
  std::vector<const listed_key*> sorted(position upto) const;

  // Thread-safe.
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  // Returns the size of the records in memory, without the table. Thread-safe.
  std::size_t bytes() const noexcept { return memory_.bytes(); }

 private:
  // A quarter of the records of a level is also on the next one. Enough levels for a million records.
  static constexpr std::size_t levels_max = 10;
  using links = std::array<listed_key::link, levels_max - 1>;
  using places = std::array<listed_key::link*, levels_max>;

  // The beginning of each level of a list. The upper levels are allocated with their first record, because most lists
  // have only one record.
  struct list {
    listed_key::link first{nullptr};
    std::atomic<links*> upper{nullptr};
  };

  void insert(std::string_view key, std::size_t name_bytes, position at, bool removed);
  list& list_of(list* table, std::string_view name) const noexcept;
  std::size_t random_levels() noexcept;
  static places find(list& in, std::string_view key, position at) noexcept;

  const std::size_t capacity_;
  const std::size_t slots_;            // open addressing, at most half full; a power of two
  std::unique_ptr<list[]> owned_;      // by the hash of their names
  std::atomic<list*> lists_{nullptr};  // null until there is a record, since many tables stay empty
  std::atomic<std::size_t> size_{0};
  std::uint64_t random_ = 0x9E3779B97F4A7C15;
  arena memory_;
};

}  // namespace ordem::storage
