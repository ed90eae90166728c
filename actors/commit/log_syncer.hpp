// The one actor that waits for the disk, on a thread of its own, and then tells the receivers: clients, dedupe shards,
// order shards, and the replicator. All groups that were appended while one sync was under way share the next.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <vector>

#include "actors/commit/reply_router.hpp"
#include "actors/counters.hpp"
#include "actors/interfaces.hpp"
#include "actors/replication/backlog_limit.hpp"
#include "storage/log/store.hpp"

namespace ordem::actors {

struct log_syncer_parts {
  storage::log* log = nullptr;
  const time_source* clock = nullptr;
  reply_router* replies = nullptr;
  actors::counters* counters = nullptr;
  // Measured now and then while the log grows; null if nothing follows it.
  backlog_limit* gate = nullptr;
  // Nobody hears of a group before it is persisted too (durability::postgres).
  bool wait_for_persisted = false;
  // Called once, when the first sync has failed: nothing more will be accepted.
  std::function<void()> on_failure;
};

class log_syncer final : public log_syncer_actor::base {
 public:
  log_syncer(caf::actor_config& config, log_syncer_parts parts);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  void gather(make_durable& appended);
  void sync_group();
  void notify_replicator();
  void hold(position upto, std::vector<completion>&& group);
  void release(position through);
  void abort_all();
  void complete_group(std::vector<completion>&& group);

  log_syncer_parts parts_;
  connect listeners_;
  std::vector<completion> group_;

  // Durable groups that wait for the replicator.
  struct waiting_group {
    position upto;
    std::vector<completion> group;
  };
  std::deque<waiting_group> waiting_;
  position persisted_;
  bool aborted_ = false;
  std::chrono::steady_clock::time_point measured_;
};

}  // namespace ordem::actors
