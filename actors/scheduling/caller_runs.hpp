// A CAF scheduler on which the thread that submits a batch runs the actors that receive it, instead of waking a worker:
// one hand-over less, and the batch stays in the caches of the core that made it. All other work is shared between
// CAF's workers, as with its work sharing.
//
// It uses internals of CAF, which another minor version may change. Check these before the version below is raised:
// - coordinator<work_sharing> is what caf::actor_system_config::load() accepts, and its module's make() has the
//   signature below.
// - An actor at rest that gets a message is passed to the virtual coordinator::enqueue(), with one reference, which
//   whoever runs it releases when resume() returns anything but resume_later.
// - An execution unit passes the actors that become ready during resume() to the scheduler's enqueue().
// - resume() returns resume_later after the given number of messages, and the actor must then be enqueued again.
#pragma once

#include <caf/all.hpp>
#include <caf/config.hpp>
#include <caf/policy/work_sharing.hpp>
#include <caf/scheduler/coordinator.hpp>
#include <deque>
#include <functional>
#include <vector>

namespace ordem::actors {

static_assert(CAF_MAJOR_VERSION == 0 && CAF_MINOR_VERSION == 17, "check caller_runs against this version of CAF");

// Loaded into the configuration of an actor system. Thread-safe.
class caller_runs final : public caf::scheduler::coordinator<caf::policy::work_sharing> {
 public:
  using coordinator::coordinator;

  // Called by caf::actor_system_config::load().
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  void enqueue(caf::resumable* what) override;
};

// Collects the actors at rest that its thread sends messages to. Its destructor runs them on this thread, and also
// those that they send to. An actor that has handled caller_runs_messages_max messages continues on a worker: other
// threads may send to it as fast as it works, and this thread has other work. Actors that are already running, or are
// detached, are not affected. REQUIRES: this thread has no other scope; `system` has loaded caller_runs and outlives
// the scope.
class caller_runs_scope {
 public:
  explicit caller_runs_scope(caf::actor_system& system);
  ~caller_runs_scope();

  // Calls `what` at the end of this thread's scope, after the actors have run; at once if there is no scope.
  static void at_end(std::function<void()> what);

  caller_runs_scope(const caller_runs_scope&) = delete;
  caller_runs_scope& operator=(const caller_runs_scope&) = delete;

 private:
  friend class caller_runs;

  caf::actor_system& system_;
  std::deque<caf::resumable*> ready_;
  std::vector<std::function<void()>> at_end_;
};

constexpr std::size_t caller_runs_messages_max = 16;

}  // namespace ordem::actors
