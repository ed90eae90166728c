// Reads of what the log did to orders, in its order: the source of the change feed. Implemented on the log
// (storage/log/log_changes.hpp), called by the edge. All functions are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/model/order_change.hpp"

namespace ordem {

// The changes among the entries that one read has looked at.
struct order_changes {
  std::vector<order_change> changes;  // in ascending order of positions
  position through;                   // of the last entry that was looked at
};

enum class change_error : std::uint8_t {
  trimmed,         // the log no longer holds the entry behind the position
  storage_failed,  // a read failed or a record is damaged
};

class change_reader {
 public:
  virtual ~change_reader() = default;

  // Looks at entries behind `after` that are visible to reads: at most `entries_max`, fewer if they are large, at least
  // one if there is one. Captures and rejections are looked at, too, but are no changes. `through` is `after` if there
  // is no such entry yet. Blocks for a read from disk.
  virtual tl::expected<order_changes, change_error> read_changes(position after, std::size_t entries_max) const = 0;

  // Returns the position of the first entry that can be read, which may be the one behind the last.
  virtual position first() const = 0;
  // Returns the position of the last entry that is visible to reads.
  virtual position visible() const noexcept = 0;
  // Returns the id of the log, a UUID.
  virtual const std::string& log_id() const noexcept = 0;
};

}  // namespace ordem
