// The actor that owns the current state of one order. It decides the messages that change the order one after the
// other, each on the state that the one before left, without waiting for the disk, and pushes its decisions to the
// commit queue, which keeps their order. An update that is to be merged waits for the version that its client had, and
// later ones wait behind it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "actors/commit/commit_queue.hpp"
#include "actors/interfaces.hpp"
#include "actors/orders/order_loader.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/tracing.hpp"

namespace ordem::actors {

// What all order actors share, so that each of them is small. What is given by pointer must outlive the actors.
struct order_context {
  const order_lookup* committed = nullptr;
  const time_source* clock = nullptr;
  order_loader* loader = nullptr;
  ordem::tracer* tracer = nullptr;
  milliseconds message_ttl{};
  std::shared_ptr<commit_queue> decisions;
};

// Owned by its order shard, which holds the only lasting reference.
class order_actor final : public order_handle::base {
 public:
  order_actor(caf::actor_config& config, std::shared_ptr<const order_context> context, const order_id& id);

  behavior_type make_behavior() override;

 private:
  void on_execute(execute& batch);
  void on_loaded(loaded& read);
  void on_base_loaded(base_loaded& read);
  void decide_all(std::vector<task>&& tasks);
  void refuse_all(std::vector<task>&& tasks);

  const std::shared_ptr<const order_context> context_;
  const order_id id_;
  // The state decided last; null until it has been read, and if there is no such order.
  shared_order current_;
  // While the loader reads the order or the base of a merge, the tasks that wait for it.
  bool loading_ = false;
  std::vector<task> waiting_;
  // The version that was read last to merge updates from, until no task waits; null if the order has none.
  std::optional<version> base_of_;
  shared_order base_;
};

}  // namespace ordem::actors
