// The actor that owns the orders of its share: it decides every message that changes one of them, one after the other,
// on the state that it decided last, without waiting for the disk; the commit writer keeps that order of decisions. It
// keeps the orders that were used most recently; one with uncommitted work stays.
#pragma once

#include "actors/counters.hpp"
#include "actors/interfaces.hpp"
#include "actors/order_shelf.hpp"

namespace ordem::actors {

struct order_keeper_parts {
  std::uint32_t number = 0;
  std::uint32_t keepers = 1;
  std::size_t live_orders_max = 0;
  const order_reader* committed = nullptr;
  const time_source* clock = nullptr;
  actors::counters* counters = nullptr;
  milliseconds message_ttl{};
  commit_writer_actor writer;
};

// Which keeper an order belongs to.
std::uint32_t keeper_of(const order_id& id, std::uint32_t keepers) noexcept;

class order_keeper final : public order_keeper_actor::base {
 public:
  order_keeper(caf::actor_config& config, order_keeper_parts parts);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  void execute_all(admit& batch);
  decided execute_one(task&& what, timestamp now);
  void let_go(const settle& notice);
  void count_live(std::size_t before);

  order_keeper_parts parts_;
  // As decided last; null until it has been read, and as long as there is no such order.
  order_shelf<shared_order> shelf_;
};

}  // namespace ordem::actors
