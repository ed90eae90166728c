#include "actors/orders/order_loader.hpp"

#include <pthread.h>

#include <utility>

#include "actors/scheduling/caller_runs.hpp"

namespace ordem::actors {

void order_loader::start(caf::actor_system& system, std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, &system] { run(system); });
    pthread_setname_np(threads_.back().native_handle(), "ordem-load");
  }
}

void order_loader::load(const order_id& id, order_handle actor) {
  add({id, std::nullopt, std::move(actor)});
}

void order_loader::load_version(const order_id& id, version which, order_handle actor) {
  add({id, which, std::move(actor)});
}

void order_loader::add(request&& what) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    requests_.push_back(std::move(what));
  }
  changed_.notify_one();
}

void order_loader::stop() {
  std::deque<request> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(requests_);
  }
  changed_.notify_all();
  for (std::thread& each : threads_) each.join();
  threads_.clear();
}

void order_loader::run(caf::actor_system& system) {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
    if (stopping_) return;
    request next = std::move(requests_.front());
    requests_.pop_front();
    lock.unlock();
    {
      auto order = next.which ? committed_.find_version(next.id, *next.which) : committed_.find_order(next.id);
      const caller_runs_scope scope(system);
      if (next.which) {
        caf::anon_send(next.actor, base_loaded{*next.which, std::move(order)});
      } else {
        caf::anon_send(next.actor, loaded{std::move(order)});
      }
    }
    next = {};
    lock.lock();
  }
}

}  // namespace ordem::actors
