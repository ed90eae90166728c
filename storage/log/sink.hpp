// The destination to which the replicator writes the log. Implemented by Postgres (storage/postgres/postgres_sink.hpp)
// and by tests. Owned by app/; used by one thread at a time, except interrupt().
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "engine/model/ids.hpp"
#include "storage/log/error.hpp"
#include "storage/log/log.hpp"

namespace ordem::storage {

// Returns whether the sink has this entry at its position; true if the sink has deleted what would show that. May throw
// exceptions that only the sink catches.
using has_entry = std::function<bool(const logged_entry&)>;
// Returns why an engine must not continue after what the sink holds, or nullopt if it may. `held`: the last position
// that the sink holds.
using claim_check = std::function<std::optional<error>(position held, const has_entry&)>;

// Holds a prefix of one log.
class sink {
 public:
  virtual ~sink() = default;

  // Connects, and makes this engine the only writer of the sink. The first call of a process supersedes all earlier
  // engines. A later call fails with error_code::permanent if another engine has claimed the sink since. Returns the
  // last position that the sink holds, which is lower than before if the sink was restored to an earlier state; such a
  // sink is claimed again. Calls `check` before it supersedes an engine, and fails with its error if there is one.
  virtual result<position> claim(const claim_check& check) = 0;

  // Writes these entries, all or none. REQUIRES: they follow what the sink holds without a gap, and claim() has
  // succeeded since the last failure. After a failure it is unknown whether the entries were written.
  virtual result<void> write(std::span<const logged_entry> entries) = 0;

  // Makes the current call, and every later one, fail soon. Thread-safe.
  virtual void interrupt() noexcept = 0;
};

}  // namespace ordem::storage
