// Opens and makes the view of a data folder. Used by storage/folder/, on the thread that opens the store.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/model/time.hpp"
#include "storage/files/live_file.hpp"
#include "storage/log/error.hpp"
#include "storage/log/log.hpp"
#include "storage/log/store_loader.hpp"
#include "storage/log/view.hpp"

namespace ordem::storage {

// Returns the folder of the database in a data folder.
std::filesystem::path database_path(const std::filesystem::path& folder);

// `upgrade`: the files are those of data format 4, in which only the indexes (messages, orders by customer) are written
// behind the log.
enum class view_access : std::uint8_t { read, write, upgrade };

struct view_settings {
  std::filesystem::path folder;  // the data folder
  view_access access = view_access::write;
  // See store_settings.
  std::size_t block_cache_bytes = 0;
  std::size_t write_buffer_bytes = 0;
  std::size_t memtable_entries = 0;
  int open_files_max = 0;
  std::function<void(std::string_view)> on_error;
  // Called before entries are written to files, which must not survive a log that does not. Called by the flush thread.
  std::function<result<void>()> make_log_durable;
  // Called when everything up to that position is in files. Called by the flush thread.
  std::function<void(position)> on_written;
};

// A view in files of the data folder.
class file_view : public view {
 public:
  // Returns the state of the clock that a loader kept, if any; the log has a newer one once it has a record.
  virtual result<std::optional<clock_state>> kept_clock() const = 0;
  // Fails unless the orders and captures in the files are what the log says. Called before catch_up().
  virtual result<void> check(const log& from) const = 0;
  // Applies what the files lack of the log. Called once, before any read.
  virtual result<void> catch_up(const log& from) = 0;
  // Calls `use` with the files that hold the view as of one moment, up to a position that the log had made durable
  // before; none of them is deleted until it returns. Returns its result, or an error if the files can't be listed.
  // Thread-safe. REQUIRES: opened for writing.
  using file_user = std::function<result<void>(const std::vector<live_file>&)>;
  virtual result<void> with_files(const file_user& use) const = 0;
  // Writes everything to files. REQUIRES: nothing is applied during the call or after it.
  virtual result<void> flush() = 0;
};

// The log of a folder in data format 4, which was a family of the database.
class old_log {
 public:
  virtual ~old_log() = default;
  // The newest state of the clock, if any.
  virtual result<std::optional<clock_state>> clock() const = 0;
  // Returns the position of the last entry; 0 if there is none.
  virtual result<position> last() const = 0;
  // Returns the position from which on the log holds every entry, which may be the one after last().
  virtual result<position> first() const = 0;
  // Visits the groups from that position on, each with the orders after its messages, until `visit` fails.
  using visitor = std::function<result<void>(std::span<const entry> group)>;
  virtual result<void> visit(position from, const visitor& visit) const = 0;
};

// Opens the log of a folder in data format 4. Cuts off a record at the end that was never acknowledged, and writes what
// is in the write-ahead log alone to files. One owner at a time, and no view meanwhile.
result<std::unique_ptr<old_log>> open_old_log(view_settings settings, time_source& clock);

// Opens the database of a data folder; one for writing is made if it does not exist. `clock` tells what has expired and
// must outlive the view.
result<std::unique_ptr<file_view>> open_view(view_settings settings, time_source& clock);

// Makes the files of a new view. finish() makes them durable and says that they reach position `last`; it does not make
// a store. `clock` continues from what was loaded, and must outlive the loader.
result<std::unique_ptr<store_loader>> load_view(view_settings settings, time_source& clock);

}  // namespace ordem::storage
