// The store: the log of decided messages and captures, and the orders, messages and captures that result from it, on
// this machine's disk. Owned by app/. Each function says which threads may call it; readers (engine/ports/readers.hpp)
// are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/readers.hpp"
#include "storage/log/entry.hpp"
#include "storage/log/error.hpp"

namespace ordem::storage {

enum class durability : std::uint8_t {
  fsync,     // durable means on the disk: survives a power loss
  os,        // durable means in the kernel: survives a crash of the process
  postgres,  // as fsync, and visible only once it is in Postgres, too: survives the loss of the machine
};

enum class log_error : std::uint8_t {
  write_failed,    // a write failed; whether the entries were written is unknown until the folder is opened again
  failed_earlier,  // an earlier write failed, and nothing is written after that
};

enum class log_read_error : std::uint8_t {
  trimmed,         // the log no longer holds that position
  storage_failed,  // a read failed or a record is damaged
};

// One read_log() ends once it has this many items of orders or bytes of captured responses, some tens of megabytes.
inline constexpr std::size_t log_read_items_max = 100'000;
inline constexpr std::size_t log_read_captured_bytes_max = std::size_t{16} << 20;

// An ordered, durable list of entries. Another implementation may replicate it.
//
// Writing has two steps, so that a group can be written during the fsync of the group before: append() orders the
// entries, sync() makes them durable. An entry is not visible to reads before its sync() or, with durability::postgres,
// before its confirm_persisted().
class log {
 public:
  virtual ~log() = default;

  // Appends the entries as one group: after a crash all of them are there, or none. Returns the position of the last
  // entry. REQUIRES: at most group_entries_max entries, those of one order in the order of their versions, those of one
  // capture in the order of their decisions. One thread at a time.
  virtual tl::expected<position, log_error> append(std::span<const entry> entries) = 0;

  // Makes everything appended before the call durable, then visible to reads. Blocks until that is done; returns at
  // once if nothing was appended. Returns the position of the last durable entry. One thread at a time, which need not
  // be the appending thread.
  virtual tl::expected<position, log_error> sync() = 0;

  // Returns the durable entries from that position on, in order: at most `limit`, fewer if they are large (see
  // log_read_items_max and log_read_captured_bytes_max), at least one if there is one. Thread-safe.
  virtual tl::expected<std::vector<logged_entry>, log_read_error> read_log(position from, std::size_t limit) const = 0;

  // Returns the position from which on the log holds every durable entry, which may be the one after last(); 0 if
  // nothing was ever written. Reads the whole log. Thread-safe.
  virtual tl::expected<position, log_read_error> first() const = 0;
  // Returns the position of the last durable entry, 0 if there is none. Thread-safe.
  virtual position last() const noexcept = 0;
  // Returns the position of the last appended entry, durable or not. Thread-safe.
  virtual position appended() const noexcept = 0;

  // Everything up to this position is in the sink, so the log may delete it. The position is lower than before if the
  // sink was restored to an earlier state: the log then keeps what comes after it, and what was visible stays visible.
  // One thread at a time.
  virtual void confirm_persisted(position through) = 0;
  // Returns the size of the log records after that position, rounded up to whole groups. Thread-safe.
  virtual tl::expected<std::uint64_t, log_read_error> bytes_after(position at) const = 0;
};

struct store_settings {
  std::filesystem::path folder;
  ordem::storage::durability durability = ordem::storage::durability::fsync;
  // Cache for blocks read from disk. Larger: fewer reads of orders and messages that are no longer in memory.
  std::size_t block_cache_bytes = std::size_t{256} << 20;
  // For writes that are not yet in a table file, of all column families together. Larger: fewer flushes, a longer start
  // after a crash.
  std::size_t write_buffer_bytes = std::size_t{256} << 20;
  // Entries in a memtable before it is written to table files, 1 to a million. More: fewer and larger files, more
  // memory (about 400 bytes an entry, for up to five memtables), a longer start after a crash.
  std::size_t index_entries = 65'536;
  // Table files that the database keeps open, besides some tens of other files; at least 20. More: files are opened
  // less often where there are more of them than this.
  int open_files_max = 1024;
  // Entries that the log keeps, at least.
  std::uint64_t log_entries_kept = 1'000'000;
  // Whether there is a sink, so that nothing is trimmed before confirm_persisted().
  bool log_is_consumed = false;
  // Called with a message about each failed read or write. Called by any thread.
  std::function<void(std::string_view)> on_error = [](std::string_view) {};
};

// For metrics. Each value is read at another moment.
struct store_stats {
  position last;
  std::uint64_t estimated_orders = 0;
  std::uint64_t estimated_messages = 0;
  std::uint64_t estimated_captures = 0;
  std::uint64_t memtable_bytes = 0;
  std::uint64_t table_file_bytes = 0;
};

class store : public log, public order_reader, public capture_reader {
 public:
  // Returns the id of the log of this folder, a UUID that is made with the folder and never changes. Thread-safe.
  virtual const std::string& log_id() const noexcept = 0;
  // Returns the greatest id of an order when the folder was opened, or nullopt if there was no order. Thread-safe.
  virtual std::optional<order_id> newest_order() const noexcept = 0;
  // Thread-safe.
  virtual store_stats stats() const = 0;
  // Visits the current version of every order of one snapshot, in ascending order of ids, until `visit` returns false.
  // Thread-safe.
  virtual read_result<void> scan_orders(const std::function<bool(const shared_order&)>& visit) const = 0;
  // As scan_orders(), for every message that has not expired at `now`, in byte order of GUIDs.
  virtual read_result<void> scan_messages(
      const clock_reading& now, const std::function<bool(const guid&, const message_record&)>& visit) const = 0;
  // As scan_orders(), for every capture that is kept at `now`, in byte order of keys.
  virtual read_result<void> scan_captures(
      const clock_reading& now, const std::function<bool(const capture_key&, const shared_capture&)>& visit) const = 0;

  // Writes what is in memory to table files, so that the next start has nothing to replay. REQUIRES: no append() or
  // sync() during the call or after it.
  virtual void close() = 0;
};

using open_result = result<std::unique_ptr<store>>;

// Opens the folder for reading and writing, creates it if it does not exist, and checks that the data is what the end
// of the log says. Until the store is destroyed, no other store can open the folder for writing. Sets `clock` to
// continue from the state that the folder keeps of it; `clock` must outlive the store.
open_result open_store(store_settings settings, time_source& clock);

// Opens an existing folder for reading, even if another process has it open for writing. The store holds the data as of
// that moment. REQUIRES: append() and sync() are not called on it.
open_result open_store_for_reading(store_settings settings, time_source& clock);

}  // namespace ordem::storage
