// Where a follower of the log puts what it reads. Postgres implements it; tests have their own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "engine/model/ids.hpp"
#include "storage/log/error.hpp"
#include "storage/log/store.hpp"

namespace ordem::storage {

// Whether the sink has this entry at its position, as far as it still knows. Throws what only the sink catches.
using has_entry = std::function<bool(const logged_entry&)>;
// Why an engine may not go on after what the sink holds; nothing if it may.
using claim_check = std::function<std::optional<error>(position held, const has_entry&)>;

// Holds a prefix of one log. One thread at a time, but for interrupt().
class sink {
 public:
  virtual ~sink() = default;

  // Reaches the sink and makes this engine its only writer: the first call of a process supersedes every engine before
  // it, and later ones fail for good once another engine has done so. Returns the last position that the sink holds,
  // which may be an earlier one than it held before: a sink that was put back to an earlier state is claimed anew. An
  // objection is asked for before any engine is superseded, and fails the call.
  virtual result<position> claim(const claim_check& object) = 0;

  // Puts these entries into the sink, all or none. They must follow what it holds without a gap. After a failure
  // claim() comes first: whether the entries are there is unknown until then.
  virtual result<void> write(std::span<const logged_entry> entries) = 0;

  // Any thread: makes the call that is under way, and every later one, fail soon.
  virtual void interrupt() noexcept = 0;
};

}  // namespace ordem::storage
