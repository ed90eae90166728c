#include "actors/orders/order_shard.hpp"

#include <utility>

namespace ordem::actors {

order_shard::order_shard(caf::actor_config& config, order_shard_parts parts)
    : order_shard_actor::base(config), parts_(std::move(parts)), live_(parts_.live_orders_max) {
  stop_on_exception(this);
}

order_shard::behavior_type order_shard::make_behavior() {
  return {
      [this](route& batch) { route_all(batch); },
      [this](const unpin& notice) { unpin_all(notice); },
      [this](forget_orders) { forget_all(); },
  };
}

void order_shard::on_exit() {
  live_.clear();
  parts_.context.reset();
}

// Sends one message to each order of the batch, however many tasks it has.
void order_shard::route_all(route& batch) {
  const std::size_t before = live_.size();
  std::vector<live_order*> addressed;
  addressed.reserve(batch.tasks.size());
  for (task& each : batch.tasks) {
    const order_id id = *each.message.target;
    live_order& found = live_.pin(id, [&] {
      // Hidden, so that a spawn does not lock the system's count of actors.
      return live_order{spawn<order_actor, caf::lazy_init + caf::hidden>(parts_.context, id), {}};
    });
    if (found.batch.empty()) addressed.push_back(&found);
    found.batch.push_back(std::move(each));
  }
  for (live_order* each : addressed) send(each->actor, execute{std::exchange(each->batch, {})});
  count_live(before);
}

void order_shard::unpin_all(const unpin& notice) {
  const std::size_t before = live_.size();
  for (const order_id& each : notice.orders) live_.unpin(each);
  count_live(before);
}

void order_shard::forget_all() {
  const std::size_t before = live_.size();
  live_.clear();
  count_live(before);
}

void order_shard::count_live(std::size_t before) {
  parts_.counters->live_orders.fetch_add(static_cast<std::int64_t>(live_.size()) - static_cast<std::int64_t>(before),
                                         std::memory_order_relaxed);
}

}  // namespace ordem::actors
