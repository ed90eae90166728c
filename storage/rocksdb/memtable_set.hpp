// The newest records of the view, in memory. Their keys are in random order, and each insertion of such a key into a
// memtable of RocksDB costs many cache misses. The log has their data, so they are kept in memtables of our own, which
// the flush thread sorts and writes to table files. The database ingests the files.
//
//   apply ----> active memtable --full--> immutable memtables --> table files
//
// A read searches the memtables first, newest first, then the files. A start fills the memtables from the log after the
// position that the files have.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/model/ids.hpp"
#include "storage/log/entry.hpp"
#include "storage/log/error.hpp"
#include "storage/rocksdb/recent_lists.hpp"
#include "storage/rocksdb/recent_records.hpp"

namespace ordem::storage {

// The records of some consecutive entries.
struct memtable {
  explicit memtable(std::size_t entries_max)
      : messages(entries_max),
        orders(entries_max),
        versions(entries_max),
        captures(entries_max),
        customers(2 * entries_max, 2 * entries_max),
        external_ids(2 * entries_max, 2 * entries_max),
        created(entries_max, 1) {}

  std::size_t bytes() const noexcept {
    return messages.bytes() + orders.bytes() + versions.bytes() + captures.bytes() + customers.bytes() +
           external_ids.bytes() + created.bytes();
  }

  recent_records messages;
  recent_records orders;    // the current version
  recent_records versions;  // the superseded ones
  recent_records captures;
  recent_lists customers;                    // one list for each customer of a tenant
  recent_lists external_ids;                 // one list for each external id of a tenant
  recent_lists created;                      // one list of the ids that these entries created
  std::atomic<std::uint64_t> new_orders{0};  // created by these entries
  std::size_t entries = 0;                   // including those without records
  position last;                             // of its entries; set once it is full
};

// Newest first.
using memtable_list = std::vector<std::shared_ptr<const memtable>>;

struct memtable_limits {
  std::size_t entries = 0;
  std::size_t bytes = 0;
};

// Owned by the view. add() and reserve() are called by one thread at a time.
class memtable_set {
 public:
  // Writes a memtable to table files. Called on the flush thread or by flush_remaining().
  using writer = std::function<result<void>(const memtable&)>;
  // Called with the memtables that are not in table files whenever that changes: by reserve(), and on the flush thread
  // after the writer. No two calls at a time.
  using publisher = std::function<void(std::shared_ptr<const memtable_list>)>;

  memtable_set(memtable_limits limits, writer write, publisher publish, std::function<void(const error&)> on_failure);
  // Stops the thread. Memtables that are not written are lost, and made again from the log.
  ~memtable_set();

  // Publishes the first memtable. Called once, before everything else.
  void begin();
  // Starts the flush thread, which writes immutable memtables. Without it everything stays in memory.
  void start();

  // Makes room for so many entries, all of which go into one memtable; `last` is the position of the entry before them.
  // Blocks while there are too many memtables to be written, unless the last write failed: then the entries that are in
  // flight are taken all the same. REQUIRES: at most group_entries_max entries.
  void reserve(std::size_t entries, position last);
  // Adds the records of the entry at that position. REQUIRES: reserve() was called for it. A message has the version
  // before.
  void add(const message_entry& what, position at);
  void add(const capture_entry& what, position at);

  // Whether the last write failed. Thread-safe.
  bool has_failed() const noexcept { return has_failed_.load(std::memory_order_acquire); }
  // Lets the flush thread try again after a failure, and waits for the result of that. Thread-safe.
  result<void> retry();

  // Writes all memtables on the calling thread. REQUIRES: `last` is the position of the last entry, and add() is not
  // called during or after it.
  result<void> flush_remaining(position last);

 private:
  // Allocates its tables with their first records.
  std::shared_ptr<memtable> empty_memtable() const;
  std::shared_ptr<memtable> allocated_memtable() const;
  void add_to_lists(const order* before, const order& after, position at);
  void begin_memtable(position last);
  void flush_loop();
  void publish();
  void stop();

  const memtable_limits limits_;
  const writer write_;
  const publisher publish_;
  const std::function<void(const error&)> on_failure_;
  // Only for the thread that calls add().
  std::shared_ptr<memtable> active_;
  std::string key_;
  std::string value_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<const memtable>> immutable_;  // oldest first
  // Allocated by the flush thread, because the megabytes of empty tables take milliseconds, which apply would wait for.
  // A process that only reads, or writes little, does without: there is one from when the first memtable is half full.
  std::shared_ptr<memtable> spare_;
  bool keeps_spare_ = false;  // written under the lock by the thread that calls reserve(), which reads it without
  bool stopping_ = false;
  std::optional<error> failure_;  // of the last write
  std::atomic<bool> has_failed_{false};
  std::uint64_t writes_ = 0;  // tried so far
  bool retries_ = false;
  std::thread thread_;
};

}  // namespace ordem::storage
