// The indexes that appends do not write to the database: messages by GUID, orders by customer. Their keys are in random
// order, and each insertion of such a key into a memtable of RocksDB costs many cache misses. The log has their data,
// so they are kept in memtables of our own, which the index thread sorts and writes to table files. The database
// ingests the files.
//
//   append ----> active memtable --full--> immutable memtables --durable--> table files
//
// A read searches the memtables first, newest first, then the files. A start fills the memtables from the log after the
// position that the files have.
//
// The database also gets the orders with each append. The memtables hold the orders that changed last as well, so that
// reading them again needs no search in RocksDB.
//
// Owned by the store.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/model/ids.hpp"
#include "storage/log/entry.hpp"
#include "storage/rocksdb/recent_lists.hpp"
#include "storage/rocksdb/recent_records.hpp"

namespace ordem::storage {

// The index records of some consecutive entries.
struct memtable {
  explicit memtable(std::size_t entries_max) : messages(entries_max), customers(2 * entries_max), orders(entries_max) {}

  recent_records messages;
  recent_lists customers;   // one list for each customer
  recent_records orders;    // of a large order a tombstone: only the database has it
  std::size_t entries = 0;  // including those without index records
  position last;            // of its entries; set once it is full
};

// Newest first.
using memtable_list = std::vector<std::shared_ptr<const memtable>>;

class recent_index {
 public:
  // Writes a memtable to table files, and returns false if that failed. Called on the index thread or by
  // flush_remaining().
  using writer = std::function<bool(const memtable&)>;

  recent_index(std::size_t memtable_entries, writer write);
  // Stops the thread. Memtables that are not written are lost, and made again from the log.
  ~recent_index();

  // Starts the index thread, which writes immutable memtables. Without it everything stays in memory.
  void start();
  // Stops the index thread.
  void stop();

  // Adds consecutive entries, the first of which has position `first`. Blocks while there are too many durable
  // memtables to be written. REQUIRES: at most group_entries_max entries. One thread at a time.
  void add(std::span<const entry> entries, position first);

  // Everything up to this position is durable. Thread-safe.
  void confirm_durable(position through);

  // Returns all memtables that are not in table files yet, perhaps with some that have just been written. Thread-safe.
  std::shared_ptr<const memtable_list> memtables() const;

  // Writes all memtables on the calling thread, and returns false if that failed. REQUIRES: all entries are durable,
  // `last` is the position of the last one, and add() is not called during or after it.
  bool flush_remaining(position last);

 private:
  void add(const message_entry& what, position at);
  std::shared_ptr<memtable> make_memtable() const;
  void begin_memtable(position last);
  void flush_loop();
  void publish();

  const std::size_t memtable_entries_;
  const writer write_;
  // Only for the thread that calls add().
  std::shared_ptr<memtable> active_;
  std::string key_;
  std::string value_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<const memtable>> immutable_;  // oldest first
  // Allocated by the index thread, because the megabytes of empty tables take milliseconds, which appends would wait
  // for.
  std::shared_ptr<memtable> spare_;
  std::shared_ptr<const memtable_list> published_;
  position durable_;
  bool stopping_ = false;
  bool failed_ = false;
  std::thread thread_;
};

}  // namespace ordem::storage
