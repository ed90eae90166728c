// Decisions on their way to the commit writer. Shards and order actors push from whatever thread runs them; the writer
// takes all there is and is woken only when the queue was empty.
//
// An order actor pushes the decision that makes version n before it takes the message that makes version n + 1. So the
// queue holds the versions of an order in their order, whichever threads ran its actor.
#pragma once

#include <utility>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/scheduling/caller_runs.hpp"
#include "engine/base/inbox.hpp"

namespace ordem::actors {

// Bounded by the messages in flight. Thread-safe once connect() has returned.
class commit_queue {
 public:
  // Names the consumer. Called once, before the first push.
  void connect(commit_writer_actor writer) { writer_ = std::move(writer); }

  // Appends the decisions, at least one, in their order. The wake-up waits for the end of a caller_runs_scope of this
  // thread, so that the actors of one batch make one group.
  void push(std::vector<decided>&& decisions) {
    if (decisions_.push(std::move(decisions))) {
      caller_runs_scope::at_end([writer = writer_] { caf::anon_send(writer, flush{}); });
    }
  }

  // The writer only; see inbox::take.
  void take(std::vector<std::vector<decided>>& decisions) { decisions_.take(decisions); }

 private:
  inbox<std::vector<decided>> decisions_;  // as they were pushed: a decision is large to move
  commit_writer_actor writer_;
};

}  // namespace ordem::actors
