#include "actors/scheduling/caller_runs.hpp"

#include <caf/scoped_execution_unit.hpp>
#include <utility>

#include "engine/base/check.hpp"

namespace ordem::actors {
namespace {

thread_local caller_runs_scope* here = nullptr;

}  // namespace

caf::actor_system::module* caller_runs::make(caf::actor_system& system, caf::detail::type_list<>) {
  return new caller_runs(system);
}

void caller_runs::enqueue(caf::resumable* what) {
  if (here != nullptr && &here->system_ == &system()) {
    here->gathered_.push_back(what);
  } else {
    coordinator::enqueue(what);
  }
}

caller_runs_scope::caller_runs_scope(caf::actor_system& system) : system_(system) {
  CHECK(here == nullptr);
  here = this;
}

void caller_runs_scope::at_end(std::function<void()> what) {
  here != nullptr ? here->at_end_.push_back(std::move(what)) : what();
}

caller_runs_scope::~caller_runs_scope() {
  caf::scoped_execution_unit unit(&system_);  // whom an actor sends to comes to caller_runs::enqueue by it
  std::deque<caf::resumable*> unfinished;
  while (!gathered_.empty()) {
    caf::resumable* next = gathered_.front();
    gathered_.pop_front();
    switch (next->resume(&unit, caller_runs_messages_max)) {
      case caf::resumable::resume_later: unfinished.push_back(next); break;
      case caf::resumable::awaiting_message:
      case caf::resumable::done:
        caf::intrusive_ptr_release(next);  // as a worker does: the queue held it
        break;
      case caf::resumable::shutdown_execution_unit:
        CHECK(false);  // only the scheduler's own stop hands this in, to its workers
    }
  }
  here = nullptr;
  for (const auto& each : at_end_) each();
  for (caf::resumable* each : unfinished) system_.scheduler().enqueue(each);
}

}  // namespace ordem::actors
