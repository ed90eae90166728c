// Takes the live records of a replicated log into a node: first into its copy, then into its view. Owned by the node;
// one thread at a time.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "storage/log/entry.hpp"
#include "storage/log/error.hpp"
#include "storage/log/view.hpp"
#include "storage/segments/segment_log.hpp"

namespace ordem::cluster {

// Errors: damaged for a record that is not whole, does not follow the last one or has no content that can be read;
// io_error for the node's own disk. After io_error the copy takes records again once copy.recover() has succeeded.
class record_applier {
 public:
  // All must outlive this.
  record_applier(storage::segment_log& copy, storage::view& view, time_source& clock) noexcept
      : copy_(copy), view_(view), clock_(clock) {}

  // Applies what the copy has and the view lacks: what this node had appended as the owner and not applied yet.
  // REQUIRES: no gateway uses the view.
  storage::result<void> catch_up();

  // Takes one record that this node has appended as the owner, whose gateway applies it to the view.
  storage::result<void> keep(std::string_view record) { return copy_.append_record(record); }

  // Takes the next records of another owner, in order; control records go into the copy only. The clock follows them.
  // Returns the position up to which reads see the log now. Faster for many at once. After an error all before the
  // record that it is about are taken, and catch_up() must succeed before the next call. REQUIRES: catch_up() has
  // succeeded since this node last owned the log.
  storage::result<position> apply(std::span<const std::string_view> records);

 private:
  storage::result<void> take(std::string_view record);
  storage::result<void> apply_taken();

  storage::segment_log& copy_;
  storage::view& view_;
  time_source& clock_;
  std::vector<storage::entry> entries_;  // in the copy and not in the view yet
};

}  // namespace ordem::cluster
