// The log: an ordered, durable list of entries. It is the truth; the view (storage/log/view.hpp) is made from it. The
// log of one machine is in storage/segments/; another implementation may replicate it.
//
// Writing has two steps, so that a group can be written during the fsync of the group before: append() orders the
// entries, sync() makes them durable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tl/expected.hpp>
#include <vector>

#include "engine/model/ids.hpp"
#include "storage/log/entry.hpp"
#include "storage/log/error.hpp"

namespace ordem::storage {

enum class log_error : std::uint8_t {
  write_failed,    // a write failed; whether the entries were written is unknown until recover() has succeeded
  failed_earlier,  // an earlier write failed, and nothing is written before recover() has succeeded
};

enum class log_read_error : std::uint8_t {
  trimmed,         // the log no longer holds that position
  storage_failed,  // a read failed or a record is damaged
};

// What reads the log behind its end, and so keeps it from being trimmed.
enum class log_consumer : std::uint8_t { view, sink };
inline constexpr std::size_t log_consumers = 2;

// One read() ends once it has this many items of orders or bytes of captured responses, some tens of megabytes.
inline constexpr std::size_t log_read_items_max = 100'000;
inline constexpr std::size_t log_read_captured_bytes_max = std::size_t{16} << 20;

// Owned by the store. Each function says which threads may call it.
class log {
 public:
  virtual ~log() = default;

  // Appends the entries as one group: after a crash all of them are there, or none. Returns the position of the last
  // entry. REQUIRES: at most group_entries_max entries, those of one order in the order of their versions, those of one
  // capture in the order of their decisions. One thread at a time.
  virtual tl::expected<position, log_error> append(std::span<const entry> entries) = 0;

  // Makes everything appended before the call durable. Blocks until that is done; returns at once if nothing was
  // appended. Returns the position of the last durable entry. One thread at a time, which need not be the appending
  // thread.
  virtual tl::expected<position, log_error> sync() = 0;

  // Without a failure: does nothing. After one: drops what was appended and is not durable, and takes appends again if
  // that succeeds. Returns why it failed otherwise: error_code::permanent if it never will succeed, else it may be
  // tried again. REQUIRES: no other thread calls append() or sync().
  virtual result<void> recover() = 0;

  // Returns the durable entries from that position on, in order: at most `limit`, fewer if they are large (see
  // log_read_items_max and log_read_captured_bytes_max), at least one if there is one. Messages come without the
  // version before. Thread-safe.
  virtual tl::expected<std::vector<logged_entry>, log_read_error> read(position from, std::size_t limit) const = 0;

  // Returns the position from which on the log holds every durable entry, which may be the one after last(); 0 if
  // nothing was ever written. Thread-safe.
  virtual position first() const = 0;
  // Returns the position of the last durable entry, 0 if there is none. Thread-safe.
  virtual position last() const noexcept = 0;
  // Returns the position of the last appended entry, durable or not. Thread-safe.
  virtual position appended() const noexcept = 0;
  // Returns the size of the records after that position, rounded up to whole groups. Thread-safe.
  virtual tl::expected<std::uint64_t, log_read_error> bytes_after(position at) const = 0;

  // The consumer needs nothing up to this position. What no consumer needs may be deleted. The position is lower than
  // before if the sink was restored to an earlier state: the log then keeps what comes after it. Thread-safe.
  virtual void release(log_consumer who, position through) = 0;
};

}  // namespace ordem::storage
