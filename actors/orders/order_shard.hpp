// The actor that is the parent of the order actors of its share. It finds or spawns the actor of an order, sends it its
// tasks, and keeps the most recently used actors. An actor with work that is not durable is pinned.
#pragma once

#include <memory>
#include <vector>

#include "actors/counters.hpp"
#include "actors/interfaces.hpp"
#include "actors/orders/live_orders.hpp"
#include "actors/orders/order_actor.hpp"

namespace ordem::actors {

// What is given by pointer must outlive the actor.
struct order_shard_parts {
  std::size_t live_orders_max = 0;
  actors::counters* counters = nullptr;
  std::shared_ptr<const order_context> context;
};

class order_shard final : public order_shard_actor::base {
 public:
  order_shard(caf::actor_config& config, order_shard_parts parts);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  struct live_order {
    order_handle actor;
    std::vector<task> batch;  // its tasks of the batch that is being routed
  };

  void route_all(route& batch);
  void unpin_all(const unpin& notice);
  void forget_all();
  void count_live(std::size_t before);

  order_shard_parts parts_;
  live_orders<live_order> live_;
};

}  // namespace ordem::actors
