// The view: the orders, messages and captures that result from the durable entries of the log. Reads are served from
// it. It can always be made again from the log, or, where the log was trimmed, from what it has in its files and the
// rest of the log.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/readers.hpp"
#include "storage/log/entry.hpp"
#include "storage/log/error.hpp"

namespace ordem::storage {

// For metrics. Each value is read at another moment.
struct view_stats {
  std::uint64_t estimated_orders = 0;
  std::uint64_t estimated_messages = 0;
  std::uint64_t estimated_captures = 0;
  std::uint64_t memtable_bytes = 0;
  std::uint64_t table_file_bytes = 0;
};

// What makes the view follow the log. Implemented by the view and by tests.
class view_writer {
 public:
  virtual ~view_writer() = default;

  // Applies the next entries of the log; they are visible to reads when it returns. May block while earlier entries are
  // written to files. Where an entry comes without the version before, which is faster to have, it is read from the
  // view; fails if it is not there. REQUIRES: the entries are durable, the first one has position `first`, which
  // follows visible(), at most group_entries_max entries. One thread at a time.
  virtual result<void> apply(std::span<const entry> entries, position first) = 0;

  // Returns whether the last write of files failed. Then apply() takes what is in flight all the same, but no new
  // entries should be accepted. Thread-safe.
  virtual bool has_failed() const noexcept = 0;
  // Writes the files again after a failure. Returns why it failed. Thread-safe.
  virtual result<void> recover() = 0;
};

// Owned by the store. Readers are thread-safe.
class view : public view_writer, public order_reader, public capture_reader {
 public:
  // Returns the greatest id of an order, or nullopt if there is none. Not during apply().
  virtual std::optional<order_id> newest_order() const noexcept = 0;
  // Thread-safe.
  virtual view_stats stats() const = 0;

  // Visits the current version of every order of one snapshot, in ascending order of ids, until `visit` returns false.
  // Thread-safe.
  virtual read_result<void> scan_orders(const std::function<bool(const shared_order&)>& visit) const = 0;
  // As scan_orders(), for every message that has not expired at `now`: by length and byte order of its tenant, then by
  // byte order of its GUID.
  virtual read_result<void> scan_messages(
      const clock_reading& now, const std::function<bool(const guid&, const message_record&)>& visit) const = 0;
  // As scan_messages(), for every capture that is kept at `now`.
  virtual read_result<void> scan_captures(
      const clock_reading& now, const std::function<bool(const capture_key&, const shared_capture&)>& visit) const = 0;
};

}  // namespace ordem::storage
