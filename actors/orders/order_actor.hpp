// The actor that owns one live order: it checks the version of every message that changes the order and decides it, one
// after the other, on the state decided last, without waiting for the disk. It pushes its decisions to the commit
// queue, which keeps their order.
#pragma once

#include <memory>
#include <vector>

#include "actors/commit/commit_queue.hpp"
#include "actors/interfaces.hpp"
#include "actors/orders/order_loader.hpp"
#include "engine/model/time.hpp"

namespace ordem::actors {

// What all order actors share, so that each of them is small. What is given by pointer outlives the actors.
struct order_context {
  const order_reader* committed = nullptr;
  const time_source* clock = nullptr;
  order_loader* loader = nullptr;
  milliseconds message_ttl{};
  std::shared_ptr<commit_queue> decisions;
};

// Owned by its order shard through the only handle that is kept; destroyed when the shard drops that.
class order_actor final : public order_handle::base {
 public:
  order_actor(caf::actor_config& config, std::shared_ptr<const order_context> context, const order_id& id);

  behavior_type make_behavior() override;

 private:
  void on_execute(execute& batch);
  void on_loaded(loaded& read);
  void decide_all(std::vector<task>&& tasks);
  void refuse_all(std::vector<task>&& tasks);

  const std::shared_ptr<const order_context> context_;
  const order_id id_;
  // As decided last; null until it has been read, and as long as there is no such order.
  shared_order current_;
  // While the loader reads the order: the tasks that wait for it.
  bool loading_ = false;
  std::vector<task> waiting_;
};

}  // namespace ordem::actors
