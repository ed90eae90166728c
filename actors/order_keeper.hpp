// The actor that knows which orders of its share are live: it hands them their messages, and lets them go when others
// were used more recently. An order with undecided or uncommitted work has an actor and stays; without work it is kept
// as it is, a tenth of the memory, until its next message gives it an actor again.
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
  void hand_out(admit& batch);
  void let_go(const settle& notice);
  void count_live(std::size_t before);

  struct live {
    order_actor actor;     // null: idle
    shared_order current;  // as it was when the last work was done; null: unknown
  };

  const order_actor& wake(const order_id& id, live& what);

  order_keeper_parts parts_;
  order_shelf<live> shelf_;
};

}  // namespace ordem::actors
