// How an owner's groups get into the replicated log: the node frames, publishes and counts acknowledgements on a thread
// of its own. Implemented by the node and by tests.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "cluster/protocol/limits.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "storage/log/log.hpp"

namespace ordem::cluster {

// A group of entries before its frame: its epoch, its log time and the hash of the record before it are not known yet.
struct unframed_group {
  position first;  // of the entries
  std::uint32_t entries = 0;
  timestamp newest{};   // of the entries: the log time of the record must not be earlier
  std::string payload;  // storage::log_record_header_bytes of any value, then what encode_log_group() appends
};

// One for each time that this node owns the log. Outlives the replicated_log that uses it. Failures are for good.
class group_appender {
 public:
  virtual ~group_appender() = default;

  // Appends the group behind those of earlier calls. Blocks while the window is full. Fails with write_failed if the
  // node does not own the log any more; then it is unknown whether the group was appended. REQUIRES: the first entry
  // follows the last one of the call before; the framed record has at most record_bytes_max. One thread at a time.
  virtual tl::expected<void, storage::log_error> append(unframed_group group) = 0;

  // Blocks until every group that was appended before the call is acknowledged and in the copy. Returns the position of
  // the last entry that is. Fails with write_failed if the node does not own the log any more. One thread at a time,
  // which need not be the appending thread.
  virtual tl::expected<position, storage::log_error> wait_acknowledged() = 0;
};

}  // namespace ordem::cluster
