// The store: the log of decided messages and what it amounts to, durable on this machine's disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/ids.hpp"
#include "engine/port.hpp"
#include "engine/time.hpp"
#include "storage/entry.hpp"

namespace ordem::storage {

enum class durability : std::uint8_t {
  fsync,  // durable is what the disk has: survives a power loss
  os,     // durable is what the kernel has: survives a crash of the process
};

enum class log_error : std::uint8_t {
  write_failed,    // the disk refused; whether the entries are there is unknown until the folder is opened again
  failed_earlier,  // nothing is written after a failed write
};

enum class replay_error : std::uint8_t {
  trimmed,         // the log no longer holds that position
  storage_failed,  // it can't be read
};

// An entry as the log gives it back.
struct logged_entry {
  ordem::position position;
  log_reference reference;
  shared_order after;  // null for a rejection
};

// An ordered, durable list of entries. Another implementation may replicate it.
//
// Writing has two steps, so that a group can be written while the one before it waits for the disk: append() puts
// entries in their order, sync() makes them durable. Nothing shows in any read before its sync().
class log {
 public:
  virtual ~log() = default;

  // Writes the entries (at most group_entries_max) in one piece: after a crash all of them are there, or none. Entries
  // of one order must come in the order of their versions. One thread at a time. Returns the position of the last
  // entry.
  virtual tl::expected<position, log_error> append(std::span<const entry> entries) = 0;

  // Makes durable, and then visible to reads, everything appended before the call; blocks until then, unless there is
  // nothing new. One thread at a time, which may be another than the appending one. Returns the position of the last
  // durable entry.
  virtual tl::expected<position, log_error> sync() = 0;

  // Calls `visit` for every entry from that position on, in order. Any thread.
  virtual tl::expected<void, replay_error> replay(position from,
                                                  const std::function<void(const logged_entry&)>& visit) const = 0;

  // The position of the last durable entry; 0 if there is none. Any thread.
  virtual position last() const noexcept = 0;
};

struct store_settings {
  std::filesystem::path folder;
  ordem::storage::durability durability = ordem::storage::durability::fsync;
  // For blocks read from disk. Larger: fewer reads of orders and messages that are no longer in memory.
  std::size_t block_cache_bytes = std::size_t{256} << 20;
  // For writes not yet in a sorted file, of all column families together. Larger: fewer flushes, a longer start after a
  // crash.
  std::size_t write_buffer_bytes = std::size_t{256} << 20;
  // How far back replay() reaches, at least.
  std::uint64_t log_entries_kept = 1'000'000;
  // Told of each failed read or write, in a sentence. Any thread.
  std::function<void(std::string_view)> on_error = [](std::string_view) {};
};

// Figures for the people who run it. Each is a snapshot.
struct store_figures {
  position last;
  std::uint64_t estimated_orders = 0;
  std::uint64_t estimated_messages = 0;
  std::uint64_t memtable_bytes = 0;
  std::uint64_t table_file_bytes = 0;
};

class store : public log, public order_reader {
 public:
  virtual store_figures figures() const = 0;
  // Writes what is in memory to sorted files, so that the next start has nothing to replay. No appends or syncs during
  // or after it.
  virtual void close() = 0;
};

// Why a folder can't be opened, as a sentence for the person who started the program.
struct open_failure {
  std::string sentence;
};

using open_result = tl::expected<std::unique_ptr<store>, open_failure>;

// Opens the folder for reading and writing, making it if it is not there, and checks that the end of the log and the
// orders agree. Nobody else can open it so until the store is destroyed. `clock` must outlive the store.
open_result open_store(store_settings settings, const time_source& clock);

// Opens an existing folder for reading, even while another process writes it; sees what was in the log at that moment.
// append() and sync() must not be called on it.
open_result open_store_for_reading(store_settings settings, const time_source& clock);

}  // namespace ordem::storage
