// The store: a data folder that is open, which is a log and its view.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/model/time.hpp"
#include "storage/log/backup.hpp"
#include "storage/log/entry.hpp"
#include "storage/log/error.hpp"
#include "storage/log/log.hpp"
#include "storage/log/view.hpp"

namespace ordem::storage {

enum class durability : std::uint8_t {
  fsync,     // durable means on the disk: survives a power loss
  os,        // durable means in the kernel: survives a crash of the process
  postgres,  // as fsync, and visible only once it is in Postgres, too: survives the loss of the machine
};

struct store_settings {
  std::filesystem::path folder;
  ordem::storage::durability durability = ordem::storage::durability::fsync;
  // Cache for blocks read from disk. Larger: fewer reads of orders and messages that are no longer in memory.
  std::size_t block_cache_bytes = std::size_t{256} << 20;
  // Memory for what is not yet in a table file: up to four memtables, each a quarter of it. Larger: fewer and larger
  // files, a longer start after a crash.
  std::size_t write_buffer_bytes = std::size_t{256} << 20;
  // Entries in a memtable before it is written to table files, 1 to a million. More: fewer and larger files, more
  // memory, a longer start after a crash.
  std::size_t memtable_entries = 65'536;
  // Table files that the database keeps open, besides some tens of other files; at least 20. More: files are opened
  // less often where there are more of them than this.
  int open_files_max = 1024;
  // Size of a file of the log, at least 4 KiB. Larger: fewer files, a longer start. The log is trimmed by whole files.
  std::size_t segment_bytes = std::size_t{32} << 20;
  // Entries that the log keeps, at least.
  std::uint64_t log_entries_kept = 1'000'000;
  // Whether there is a sink, so that nothing is trimmed before log_consumer::sink has released it.
  bool log_is_consumed = false;
  // Called with a message about each failed read or write, and about each step of an upgrade. Called by any thread.
  std::function<void(std::string_view)> on_error = [](std::string_view) {};
  std::function<void(std::string_view)> on_progress = [](std::string_view) {};
};

// Owned by app/.
class store {
 public:
  virtual ~store() = default;

  virtual storage::log& log() noexcept = 0;
  virtual const storage::log& log() const noexcept = 0;
  virtual storage::view& view() noexcept = 0;
  virtual const storage::view& view() const noexcept = 0;
  // Returns the id of the log of this folder, a UUID that is made with the folder and never changes. Thread-safe.
  virtual const std::string& log_id() const noexcept = 0;

  // Makes a back-up of what is durable now, while the store is in use, and makes it durable. Until it ends, the log is
  // not trimmed and no table file is deleted. After a failure, or if it was cancelled, nothing is left of it unless
  // that could not be removed either. Blocks for as long as reading all of the data takes. Thread-safe, but one call at
  // a time. REQUIRES: the store was opened for writing.
  virtual result<backup_summary> back_up(const backup_request& what) = 0;

  // Writes what is in memory to table files, so that the next start has nothing to apply. REQUIRES: the view has all of
  // the log, and nothing is written during the call or after it.
  virtual void close() = 0;
};

using open_result = result<std::unique_ptr<store>>;

// Opens the folder for reading and writing, creates it if it does not exist, brings a folder of the format before up to
// the present one, and checks that the data is what the end of the log says. Until the store is destroyed, no other
// store can open the folder for writing. Sets `clock` to continue from the state that the folder keeps of it; `clock`
// must outlive the store.
open_result open_store(store_settings settings, time_source& clock);

// Opens an existing folder of the present format for reading, even if another process has it open for writing. The
// store holds the data as of that moment. REQUIRES: nothing is written.
open_result open_store_for_reading(store_settings settings, time_source& clock);

// What an upgrade of a folder would do.
struct upgrade_plan {
  int format = 0;                // of the folder
  int format_after = 0;          // the present one; nothing is to be done if they are equal
  bool writes_log = false;       // whether the log is written anew, which takes at most `bytes`
  std::uint64_t bytes = 0;       // of the database
  std::uint64_t bytes_free = 0;  // on that disk
};

// Returns what upgrade_folder() would do. Takes no lock and changes nothing.
result<upgrade_plan> plan_upgrade(const std::filesystem::path& folder);
// Brings a folder of an earlier format up to the present one, as open_store() does.
result<void> upgrade_folder(const store_settings& settings);

// Appends the entries, makes them durable and applies them to the view. Returns whether that succeeded. For programs
// with one thread.
bool write(store& to, std::span<const entry> entries);

}  // namespace ordem::storage
