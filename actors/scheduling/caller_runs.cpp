#include "actors/scheduling/caller_runs.hpp"

#include <caf/logger.hpp>
#include <caf/scoped_execution_unit.hpp>
#include <utility>

#include "engine/base/check.hpp"

namespace ordem::actors {
namespace {

thread_local caller_runs_scope* scope_of_thread = nullptr;

}  // namespace

caf::actor_system::module* caller_runs::make(caf::actor_system& system, caf::detail::type_list<>) {
  return new caller_runs(system);
}

void caller_runs::enqueue(caf::resumable* what) {
  if (scope_of_thread != nullptr && &scope_of_thread->system_ == &system()) {
    scope_of_thread->ready_.push_back(what);
  } else {
    coordinator::enqueue(what);
  }
}

caller_runs_scope::caller_runs_scope(caf::actor_system& system) : system_(system) {
  ORDEM_CHECK(scope_of_thread == nullptr);
  scope_of_thread = this;
}

void caller_runs_scope::at_end(std::function<void()> what) {
  scope_of_thread != nullptr ? scope_of_thread->at_end_.push_back(std::move(what)) : what();
}

caller_runs_scope::~caller_runs_scope() {
  caf::scoped_execution_unit unit(&system_);  // passes the actors that these send to to caller_runs::enqueue()
  std::deque<caf::resumable*> unfinished;
  while (!ready_.empty()) {
    caf::resumable* next = ready_.front();
    ready_.pop_front();
    switch (next->resume(&unit, caller_runs_messages_max)) {
      case caf::resumable::resume_later: unfinished.push_back(next); break;
      case caf::resumable::awaiting_message:
      case caf::resumable::done:
        caf::intrusive_ptr_release(next);  // the reference of the queue, as a worker does
        break;
      case caf::resumable::shutdown_execution_unit:
        ORDEM_CHECK(false);  // passed to workers only, when the scheduler stops
    }
  }
  scope_of_thread = nullptr;
  for (const auto& each : at_end_) each();
  for (caf::resumable* each : unfinished) system_.scheduler().enqueue(each);
  // A spawn leaves a reference to the system's logger in the thread, and the end of the system waits for it; the thread
  // may outlive the system.
  caf::logger::set_current_actor_system(nullptr);
}

}  // namespace ordem::actors
