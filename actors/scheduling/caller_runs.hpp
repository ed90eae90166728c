// CAF's work sharing, but for a thread that hands in a batch and runs the actors that it sets off by itself, instead of
// waking a worker for them: one hand-over less, and the batch stays in the caches of the core that made it.
#pragma once

#include <caf/all.hpp>
#include <caf/policy/work_sharing.hpp>
#include <caf/scheduler/coordinator.hpp>
#include <deque>
#include <functional>
#include <vector>

namespace ordem::actors {

// To be loaded into the configuration of an actor system. Without a caller_runs_scope it is work sharing.
class caller_runs final : public caf::scheduler::coordinator<caf::policy::work_sharing> {
 public:
  using coordinator::coordinator;

  // What caf::actor_system_config::load() asks for.
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  void enqueue(caf::resumable* what) override;
};

// While it lives, the actors at rest that its thread sends to gather; when it goes they run on this thread, and so do
// those that they send to. None for longer than caller_runs_messages_max messages: others may feed it as quickly as it
// works, and this thread has more to do; then it goes on on a worker. Actors that run elsewhere already, or have a
// thread of their own, are not touched. One at a time on a thread; `system` has loaded caller_runs and outlives it.
class caller_runs_scope {
 public:
  explicit caller_runs_scope(caf::actor_system& system);
  ~caller_runs_scope();

  // Has `what` done when the scope of this thread ends, behind the actors that run then; at once where there is none.
  static void at_end(std::function<void()> what);

  caller_runs_scope(const caller_runs_scope&) = delete;
  caller_runs_scope& operator=(const caller_runs_scope&) = delete;

 private:
  friend class caller_runs;

  caf::actor_system& system_;
  std::deque<caf::resumable*> gathered_;
  std::vector<std::function<void()>> at_end_;
};

constexpr std::size_t caller_runs_messages_max = 16;

}  // namespace ordem::actors
