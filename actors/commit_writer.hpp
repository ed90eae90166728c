// The one actor that writes the log, on a thread of its own. Natural group commit: while one group waits for the disk, the next one
// gathers in the mailbox.
#pragma once

#include <functional>
#include <vector>

#include "actors/counters.hpp"
#include "actors/interfaces.hpp"
#include "actors/reply_router.hpp"
#include "storage/store.hpp"

namespace ordem::actors {

struct commit_writer_parts {
  storage::log* log = nullptr;
  reply_router* replies = nullptr;
  actors::counters* counters = nullptr;
  // Called once, when a write has failed: nothing more will be accepted.
  std::function<void()> on_failure;
};

class commit_writer final : public commit_writer_actor::base {
 public:
  commit_writer(caf::actor_config& config, commit_writer_parts parts);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  void gather(commit& decisions);
  void flush_group();
  void write_group();
  void settle_group();

  commit_writer_parts parts_;
  introduce listeners_;
  std::vector<storage::entry> entries_;
  std::vector<settlement> settlements_;
};

}  // namespace ordem::actors
