// The store of a node of a cluster: its log is the node's copy of a replicated log.
#pragma once

#include <memory>
#include <string>

#include "storage/log/store.hpp"
#include "storage/segments/segment_log.hpp"

namespace ordem::storage {

// As a store, but log() is only for reading. Owned by the node.
class copied_store : public store {
 public:
  // The log again, for append_record().
  virtual segment_log& copy() noexcept = 0;
};

// Opens the folder of a node as open_store() does, or makes an empty one for a copy that begins at position 1. The log
// id is that of the replicated log. Refuses the folder of another log, and one that is not a node's, with
// error_code::invalid_argument. The clock follows the log (time_source::follow()). The view has all of the copy.
//
// The copy is trimmed only below what both log_consumers have released, and keeps settings.log_entries_kept;
// settings.durability and settings.log_is_consumed have no effect.
result<std::unique_ptr<copied_store>> open_copied_store(store_settings settings, const std::string& log_id,
                                                        time_source& clock);

}  // namespace ordem::storage
