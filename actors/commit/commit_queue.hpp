// Decisions on their way to the commit writer. Shards and order actors push from whatever thread runs them. The writer
// is woken when the queue was empty, and takes everything that is in it. Shared by the actors that push and the writer.
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

// Bounded by the messages in flight. push() is thread-safe once connect() has returned.
class commit_queue {
 public:
  // Sets the consumer. Called once, before the first push.
  void connect(commit_writer_actor writer) { writer_ = std::move(writer); }

  // Appends the decisions in their order. The writer is woken at the end of this thread's caller_runs_scope, so that
  // the decisions of one batch make one group.
  // REQUIRES: `decisions` is not empty.
  void push(std::vector<decided>&& decisions) {
    if (decisions_.push(std::move(decisions))) {
      caller_runs_scope::at_end([writer = writer_] { caf::anon_send(writer, flush{}); });
    }
  }

  // Called by the writer only; see inbox::take.
  void take(std::vector<std::vector<decided>>& decisions) { decisions_.take(decisions); }

 private:
  inbox<std::vector<decided>> decisions_;  // kept in the vectors that were pushed: a decision is large to move
  commit_writer_actor writer_;
};

}  // namespace ordem::actors
