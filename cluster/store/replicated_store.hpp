// The data folder of a node, which outlives the times for which the node owns the log. Owned by the node.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "cluster/store/group_appender.hpp"
#include "cluster/store/record_applier.hpp"
#include "cluster/store/replicated_log.hpp"
#include "engine/model/time.hpp"
#include "storage/folder/copied_store.hpp"
#include "storage/log/store.hpp"

namespace ordem::cluster {

class replicated_store {
 public:
  // `clock` is the one that the store was opened with.
  replicated_store(std::unique_ptr<storage::copied_store> opened, time_source& clock)
      : store_(std::move(opened)), clock_(clock), applier_(store_->copy(), store_->view(), clock) {}

  // For readers and back-ups; its log is the copy. Thread-safe.
  storage::store& store() noexcept { return *store_; }
  // The copy. From its last_record() a node knows where in the stream it has got to.
  storage::segment_log& copy() noexcept { return store_->copy(); }
  // For the node's thread.
  record_applier& applier() noexcept { return applier_; }

  // This node owns the log: returns the log for its gateway, and lets the clock continue behind the last record.
  // REQUIRES: the copy has every live record, the view all of the copy; the gateway and the log of an earlier ownership
  // are destroyed. `appender` must outlive the log, this too.
  std::unique_ptr<replicated_log> begin_ownership(group_appender& appender, replicated_log_settings settings = {});

 private:
  std::unique_ptr<storage::copied_store> store_;
  time_source& clock_;
  record_applier applier_;
};

// Opens the data folder of a node of the cluster with that id, a UUID; makes an empty one if it does not exist, for a
// node that reads the log from its start. `clock` follows the log and must outlive the store. See
// storage::open_copied_store().
storage::result<std::unique_ptr<replicated_store>> open_replicated_store(storage::store_settings settings,
                                                                         const std::string& cluster_id,
                                                                         time_source& clock);

}  // namespace ordem::cluster
