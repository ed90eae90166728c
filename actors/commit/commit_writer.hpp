// The only actor that appends to the log. While it writes one group, the decisions of the next one collect in the
// commit queue, and the log syncer waits for the disk with the groups before. Runs on its own thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "actors/commit/commit_queue.hpp"
#include "actors/interfaces.hpp"
#include "actors/replication/traced_positions.hpp"
#include "storage/log/log.hpp"

namespace ordem::actors {

// What is given by pointer must outlive the actor.
struct commit_writer_parts {
  storage::log* log = nullptr;
  log_syncer_actor syncer;
  std::shared_ptr<commit_queue> decisions;
  // Once this is set nothing more is written, and completions fail.
  const std::atomic<bool>* sealed = nullptr;
  // Gets the positions of sampled entries; null if there is no sink or no tracer.
  traced_positions* traced = nullptr;
  // Called when an append fails, perhaps more than once.
  std::function<void()> on_failure;
};

class commit_writer final : public commit_writer_actor::base {
 public:
  commit_writer(caf::actor_config& config, commit_writer_parts parts);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  void write_all();
  void append(decided&& decision);
  void write_group();
  std::vector<traced_decision> take_traced(std::optional<position> first);

  commit_writer_parts parts_;
  std::vector<std::vector<decided>> taken_;
  std::vector<storage::entry> entries_;
  std::size_t bytes_ = 0;  // of the entries in the log, about
  std::vector<completion> completions_;
  struct traced_entry {
    decision_trace decision;
    std::optional<std::size_t> entry;  // its number in entries_
  };
  std::vector<traced_entry> traced_;  // of completions_; empty unless requests are sampled
};

}  // namespace ordem::actors
