// The only actor that waits for the disk. After each sync it applies what is durable to the view, and then sends the
// completions: replies to clients, `complete` to dedupe shards, `unpin` to order shards, and `replicate` to the
// replicator. Groups that are appended during one sync share the next. Runs on its own thread.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <vector>

#include "actors/commit/reply_router.hpp"
#include "actors/counters.hpp"
#include "actors/interfaces.hpp"
#include "actors/replication/backlog_limit.hpp"
#include "actors/replication/replication_state.hpp"
#include "actors/replication/traced_positions.hpp"
#include "storage/log/log.hpp"
#include "storage/log/view.hpp"

namespace ordem::actors {

// What is given by pointer must outlive the actor.
struct log_syncer_parts {
  storage::log* log = nullptr;
  storage::view_writer* view = nullptr;
  const time_source* clock = nullptr;
  reply_router* replies = nullptr;
  actors::counters* counters = nullptr;
  replication_state* replication = nullptr;
  // Takes the spans of sampled requests; null if there are none.
  ordem::tracer* tracer = nullptr;
  // The positions of sampled entries; null if there is no sink or no tracer.
  traced_positions* traced = nullptr;
  // Measured at intervals while the log grows, if there is a replicator.
  backlog_limit* backlog = nullptr;
  // Whether a group is applied and completed only once the sink has it (durability::postgres), not once it is durable.
  bool wait_for_persisted = false;
  // Called when a sync or a write of the view's files fails, perhaps more than once.
  std::function<void()> on_failure;
  // Called when entries have become visible, after their replies were sent.
  std::function<void()> on_visible = [] {};
};

class log_syncer final : public log_syncer_actor::base {
 public:
  log_syncer(caf::actor_config& config, log_syncer_parts parts);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  void add_to_group(make_durable& appended);
  void sync_group();
  void notify_replicator();
  void trace_sync(std::vector<make_durable>& groups, span_record::clock::time_point start,
                  span_record::clock::time_point end, bool failed);
  void trace_waits(const std::vector<traced_decision>& waited, span_record::clock::time_point end);
  void complete_persisted(position through);
  void fail_deferred();
  void complete_groups(std::vector<make_durable>&& groups);

  log_syncer_parts parts_;
  connect listeners_;
  std::vector<make_durable> groups_;  // of the next sync

  // Durable groups that are applied and completed once the sink has everything up to `through`.
  struct deferred_groups {
    position through;
    std::vector<make_durable> groups;
  };
  std::deque<deferred_groups> deferred_;
  position persisted_;
  bool replication_failed_ = false;
  std::chrono::steady_clock::time_point measured_;
};

}  // namespace ordem::actors
