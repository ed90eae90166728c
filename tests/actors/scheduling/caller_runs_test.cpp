#include "actors/scheduling/caller_runs.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ordem::actors {
namespace {

struct with_caller_runs : caf::actor_system_config {
  with_caller_runs() {
    load<caller_runs>();
    set("scheduler.max-threads", std::size_t{1});
  }
};

// Which thread ran each message.
class threads_seen {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    seen_.push_back(std::this_thread::get_id());
  }
  std::vector<std::thread::id> all() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::thread::id> seen_;
};

// An actor with one handler, which is called with the actor and each message. A class, since CAF 0.17.6 dereferences a
// null pointer when a function without further arguments is spawned (caf/detail/init_fun_factory.hpp).
class handler_actor final : public caf::event_based_actor {
 public:
  using handler = std::function<void(caf::event_based_actor*, int)>;

  handler_actor(caf::actor_config& config, handler handle)
      : caf::event_based_actor(config), handle_(std::move(handle)) {}

  caf::behavior make_behavior() override {
    return {[this](int what) { handle_(this, what); }};
  }

 private:
  handler handle_;
};

struct fixture {
  // Spawns an actor at rest, that is, not started on a worker.
  caf::actor spawn_at_rest(handler_actor::handler handle) {
    return system.spawn<handler_actor, caf::lazy_init>(std::move(handle));
  }

  // Spawns an actor that records its thread, and fulfils `end` at message 0.
  caf::actor spawn_recorder() {
    return spawn_at_rest([this](caf::event_based_actor*, int what) {
      seen.add();
      if (what == 0) end.set_value();
    });
  }

  with_caller_runs config;
  threads_seen seen;
  std::promise<void> end;
  caf::actor_system system{config};
  const std::thread::id here = std::this_thread::get_id();
};

TEST_CASE_METHOD(fixture, "at_end() calls its function once, after the actors of the scope have run") {
  std::vector<std::string> happened;
  const caf::actor recorder = spawn_at_rest([&](caf::event_based_actor*, int what) {
    happened.push_back("message " + std::to_string(what));
    if (what == 1) caller_runs_scope::at_end([&] { happened.push_back("deferred by an actor"); });
  });
  {
    const caller_runs_scope scope(system);
    caller_runs_scope::at_end([&] { happened.push_back("deferred first"); });
    caf::anon_send(recorder, 1);
    caf::anon_send(recorder, 2);
    CHECK(happened.empty());
  }
  CHECK(happened == std::vector<std::string>{"message 1", "message 2", "deferred first", "deferred by an actor"});
  caller_runs_scope::at_end([&] { happened.push_back("at once"); });
  CHECK(happened.back() == "at once");
}

TEST_CASE_METHOD(fixture, "an actor runs on the sending thread, when the scope ends") {
  const caf::actor recorder = spawn_recorder();
  {
    const caller_runs_scope scope(system);
    caf::anon_send(recorder, 1);
    caf::anon_send(recorder, 2);
    CHECK(seen.all().empty());
  }
  CHECK(seen.all() == std::vector(2, here));
}

TEST_CASE_METHOD(fixture, "actors that those actors send to run there too") {
  const caf::actor recorder = spawn_recorder();
  const caf::actor forwarder =
      spawn_at_rest([recorder](caf::event_based_actor* self, int what) { self->send(recorder, what); });
  {
    const caller_runs_scope scope(system);
    caf::anon_send(forwarder, 1);
  }
  CHECK(seen.all() == std::vector(1, here));
}

TEST_CASE_METHOD(fixture, "without a scope, and after one, a worker runs the actor") {
  const caf::actor recorder = spawn_recorder();
  {
    const caller_runs_scope scope(system);
  }
  caf::anon_send(recorder, 0);
  end.get_future().wait();
  REQUIRE(seen.all().size() == 1);
  CHECK(seen.all().front() != here);
}

TEST_CASE_METHOD(fixture, "an actor with more messages than the bound continues on a worker, in order") {
  const caf::actor recorder = spawn_recorder();
  constexpr int messages = 3 * static_cast<int>(caller_runs_messages_max);
  {
    const caller_runs_scope scope(system);
    for (int left = messages; left-- > 0;) caf::anon_send(recorder, left);
  }
  end.get_future().wait();
  const auto all = seen.all();
  REQUIRE(all.size() == static_cast<std::size_t>(messages));
  const auto first_elsewhere = std::find_if(all.begin(), all.end(), [this](auto id) { return id != here; });
  CHECK(first_elsewhere - all.begin() == static_cast<std::ptrdiff_t>(caller_runs_messages_max));
  CHECK(std::find(first_elsewhere, all.end(), here) == all.end());
}

TEST_CASE_METHOD(fixture, "an actor that ends in a scope is destroyed") {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  auto ending = spawn_at_rest([kept = std::move(held)](caf::event_based_actor* self, int) { self->quit(); });
  {
    const caller_runs_scope scope(system);
    caf::anon_send(ending, 1);
    ending = nullptr;
  }
  CHECK(watched.expired());
}

// The thread kept a reference to the system's logger, for which the end of the system waits.
TEST_CASE("a system ends while a thread lives that has spawned in a scope") {
  std::promise<fixture*> made;
  std::promise<void> spawned;
  std::promise<void> ended;
  std::promise<void> may_end;
  std::thread owner([&] {
    {
      fixture tested;
      made.set_value(&tested);
      spawned.get_future().wait();
    }
    ended.set_value();
  });
  std::thread spawning([&] {
    fixture& tested = *made.get_future().get();
    {
      const caller_runs_scope scope(tested.system);
      tested.spawn_recorder();
    }
    spawned.set_value();
    may_end.get_future().wait();
  });
  CHECK(ended.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  may_end.set_value();
  spawning.join();
  owner.join();
}

}  // namespace
}  // namespace ordem::actors
