// The store: the log of decided messages and what it amounts to, durable on this machine's disk.
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
#include "engine/ports/port.hpp"
#include "storage/log/entry.hpp"
#include "storage/log/error.hpp"

namespace ordem::storage {

enum class durability : std::uint8_t {
  fsync,  // durable is what the disk has: survives a power loss
  os,     // durable is what the kernel has: survives a crash of the process
  // As fsync, and nothing shows in a read before Postgres has it too: survives the loss of the machine.
  postgres,
};

enum class log_error : std::uint8_t {
  write_failed,    // the disk refused; whether the entries are there is unknown until the folder is opened again
  failed_earlier,  // nothing is written after a failed write
};

enum class log_read_error : std::uint8_t {
  trimmed,         // the log no longer holds that position
  storage_failed,  // it can't be read
};

// What bounds one read_log(), about: the items of its orders, and the bytes of its captured responses. Some tens of
// megabytes.
inline constexpr std::size_t log_read_items_max = 100'000;
inline constexpr std::size_t log_read_captured_bytes_max = std::size_t{16} << 20;

// An ordered, durable list of entries. Another implementation may replicate it.
//
// Writing has two steps, so that a group can be written while the one before it waits for the disk: append() puts
// entries in their order, sync() makes them durable. Nothing shows in any read before its sync(), nor, with
// durability::postgres, before confirm_persisted().
class log {
 public:
  virtual ~log() = default;

  // Writes the entries (at most group_entries_max) in one piece: after a crash all of them are there, or none. Entries
  // of one order must come in the order of their versions, those of one capture in the order of their decisions. One
  // thread at a time. Returns the position of the last entry.
  virtual tl::expected<position, log_error> append(std::span<const entry> entries) = 0;

  // Makes durable, and then visible to reads, everything appended before the call; blocks until then, unless there is
  // nothing new. One thread at a time, which may be another than the appending one. Returns the position of the last
  // durable entry.
  virtual tl::expected<position, log_error> sync() = 0;

  // The durable entries from that position on, in order: at most so many, and fewer where they are large
  // (log_read_items_max, log_read_captured_bytes_max), but at least one if there is one. Any thread.
  virtual tl::expected<std::vector<logged_entry>, log_read_error> read_log(position from, std::size_t limit) const = 0;

  // The position from which on the log holds every durable entry, which may be the one after last(); 0 if nothing was
  // ever written. Reads the whole log. Any thread.
  virtual tl::expected<position, log_read_error> first() const = 0;
  // The position of the last durable entry; 0 if there is none. Any thread.
  virtual position last() const noexcept = 0;
  // The position of the last appended entry, durable or not. Any thread.
  virtual position appended() const noexcept = 0;

  // What follows the log has put everything up to this position elsewhere: the log need not hold it any longer. Goes
  // back where that was put back to an earlier state: what comes after it is then kept again, and what was shown in
  // reads stays so. One thread at a time.
  virtual void confirm_persisted(position through) = 0;
  // How many bytes of log records are kept that stand after that position, to a group exactly. Any thread.
  virtual tl::expected<std::uint64_t, log_read_error> bytes_after(position at) const = 0;
};

struct store_settings {
  std::filesystem::path folder;
  ordem::storage::durability durability = ordem::storage::durability::fsync;
  // For blocks read from disk. Larger: fewer reads of orders and messages that are no longer in memory.
  std::size_t block_cache_bytes = std::size_t{256} << 20;
  // For writes not yet in a sorted file, of all column families together. Larger: fewer flushes, a longer start after a
  // crash.
  std::size_t write_buffer_bytes = std::size_t{256} << 20;
  // Entries whose messages and customers are gathered in memory before they are written to sorted files, 1 to a
  // million. More: fewer and larger files, more memory (about 400 bytes an entry, up to five times so many), a longer
  // start after a crash.
  std::size_t index_entries = 65'536;
  // Files that the database keeps open, at most, besides some tens; at least 20. More: less opening of table files
  // where there are more of them than this.
  int open_files_max = 1024;
  // How far back read_log() reaches, at least.
  std::uint64_t log_entries_kept = 1'000'000;
  // Whether something follows the log, so that nothing is trimmed before confirm_persisted().
  bool log_is_consumed = false;
  // Told of each failed read or write, in a sentence. Any thread.
  std::function<void(std::string_view)> on_error = [](std::string_view) {};
};

// Figures for the people who run it. Each is a snapshot.
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
  // Names the log of this folder, a UUID: made with the folder, never changed.
  virtual const std::string& log_id() const noexcept = 0;
  // The greatest id of an order when the folder was opened; absent if there was none. Any thread.
  virtual std::optional<order_id> newest_order() const noexcept = 0;
  virtual store_stats stats() const = 0;
  // Every order as it is, in ascending order of ids, until `visit` says no. Sees one durable state. Any thread.
  virtual read_result<void> scan_orders(const std::function<bool(const shared_order&)>& visit) const = 0;
  // Every message that has not expired at `now`, in byte order of GUIDs, until `visit` says no. As scan_orders().
  virtual read_result<void> scan_messages(
      const clock_reading& now, const std::function<bool(const guid&, const message_record&)>& visit) const = 0;

  // Every capture that is kept at `now`, in byte order of keys, until `visit` says no. As scan_orders().
  virtual read_result<void> scan_captures(
      const clock_reading& now, const std::function<bool(const capture_key&, const shared_capture&)>& visit) const = 0;

  // Writes what is in memory to sorted files, so that the next start has nothing to replay. No appends or syncs during
  // or after it.
  virtual void close() = 0;
};

using open_result = result<std::unique_ptr<store>>;

// Opens the folder for reading and writing, making it if it is not there, and checks that the end of the log and the
// orders agree. No other store can open it for writing until this one is destroyed. `clock` goes on from the state that
// the folder keeps of it, and must outlive the store.
open_result open_store(store_settings settings, time_source& clock);

// Opens an existing folder for reading, even while another process writes it; sees what was in the log at that moment.
// append() and sync() must not be called on it.
open_result open_store_for_reading(store_settings settings, time_source& clock);

}  // namespace ordem::storage
