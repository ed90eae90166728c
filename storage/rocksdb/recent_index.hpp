// The indexes that appends don't write to the database: messages by GUID, orders by customer. Both come in no order,
// and a random insertion into a memtable walks from cache miss to cache miss. The log holds what they are made of, so
// they are kept in memory, and written behind the appends, sorted and in bulk, into table files that the database takes
// in whole.
//
//   append ----> filling generation --is full--> waiting generations --are durable--> table files
//
// A read looks into the generations first, newest first, then into the files. A start makes the generations again from
// the log after the position that the files have reached.
//
// Orders do go to the database with each append. The generations hold those that changed last besides, so that who asks
// for one again is spared the walk through the memtable.
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

// What the indexes hold of some consecutive entries.
struct memtable {
  explicit memtable(std::size_t entries_max) : messages(entries_max), customers(2 * entries_max), orders(entries_max) {}

  recent_records messages;
  recent_lists customers;   // by the prefix of their customer
  recent_records orders;    // of large ones, a removal: the database has them
  std::size_t entries = 0;  // with those that the indexes don't hold
  position last;            // of its entries; once it is full
};

// Newest first.
using memtable_list = std::vector<std::shared_ptr<const memtable>>;

class recent_index {
 public:
  // Writes a generation to table files; whether it could. Called on the index's own thread, or by flush_remaining().
  using writer = std::function<bool(const memtable&)>;

  recent_index(std::size_t memtable_entries, writer write);
  // What is not written stays in the log.
  ~recent_index();

  // Starts the thread that writes what is full. Without it everything stays in memory.
  void start();
  // Ends the thread.
  void stop();

  // One thread at a time: consecutive entries, at most group_entries_max, of which the first stands at `first`. Waits
  // while too many durable generations wait to be written.
  void add(std::span<const entry> entries, position first);

  // Any thread: everything up to this position is durable.
  void confirm_durable(position through);

  // Any thread. What of it is in the files already does no harm.
  std::shared_ptr<const memtable_list> memtables() const;

  // Writes all that is left, on the calling thread; whether it could. All of it is durable, and `last` is the position
  // of the last entry. Nothing is added during or after it.
  bool flush_remaining(position last);

 private:
  void add(const message_entry& what, position at);
  std::shared_ptr<memtable> make_memtable() const;
  void begin_memtable(position last);
  void flush_loop();
  void publish();

  const std::size_t memtable_entries_;
  const writer write_;
  // The filling thread's own.
  std::shared_ptr<memtable> filling_;
  std::string key_;
  std::string value_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<const memtable>> full_;  // oldest first
  // Made by the thread: its megabytes of empty tables take milliseconds, for which appends would stand still.
  std::shared_ptr<memtable> spare_;
  std::shared_ptr<const memtable_list> published_;
  position durable_;
  bool stopping_ = false;
  bool failed_ = false;
  std::thread thread_;
};

}  // namespace ordem::storage
