// The one actor that waits for the disk, on a thread of its own, and then tells everybody: clients, dedupe shards,
// order keepers. All groups that were appended while one sync was under way share the next.
#pragma once

#include <functional>
#include <vector>

#include "actors/counters.hpp"
#include "actors/interfaces.hpp"
#include "actors/reply_router.hpp"
#include "storage/store.hpp"

namespace ordem::actors {

struct log_syncer_parts {
  storage::log* log = nullptr;
  reply_router* replies = nullptr;
  actors::counters* counters = nullptr;
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
  void settle_group();

  log_syncer_parts parts_;
  introduce listeners_;
  std::vector<settlement> group_;
};

}  // namespace ordem::actors
