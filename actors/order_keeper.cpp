#include "actors/order_keeper.hpp"

#include <functional>
#include <utility>

#include "actors/live_order.hpp"

namespace ordem::actors {

std::uint32_t keeper_of(const order_id& id, std::uint32_t keepers) noexcept {
  return static_cast<std::uint32_t>(std::hash<order_id>{}(id) % keepers);
}

order_keeper::order_keeper(caf::actor_config& config, order_keeper_parts parts)
    : order_keeper_actor::base(config), parts_(std::move(parts)), shelf_(parts_.live_orders_max) {
  stop_on_exception(this);
}

order_keeper::behavior_type order_keeper::make_behavior() {
  return {
      [this](admit& batch) { hand_out(batch); },
      [this](const settle& notice) { let_go(notice); },
  };
}

void order_keeper::on_exit() {
  parts_.writer = commit_writer_actor{};  // actors that hold each other would never go
}

void order_keeper::hand_out(admit& batch) {
  const std::size_t before = shelf_.size();
  for (task& each : batch.tasks) {
    const order_id id = *each.message.target;
    send(wake(id, shelf_.hold(id, [] { return live{}; })), execute_task{std::move(each)});
  }
  count_live(before);
}

const order_actor& order_keeper::wake(const order_id& id, live& what) {
  if (!what.actor) {
    what.actor = spawn<live_order, caf::lazy_init>(
        live_order_parts{id, what.current, parts_.committed, parts_.clock, parts_.message_ttl, parts_.writer});
  }
  return what.actor;
}

void order_keeper::let_go(const settle& notice) {
  const std::size_t before = shelf_.size();
  for (const settlement& each : *notice.group) {
    if (!each.target || keeper_of(*each.target, parts_.keepers) != parts_.number) continue;
    shelf_.release(*each.target, [&each](live& what, bool is_idle) {
      const auto* decided = std::get_if<executed>(&each.answer);
      if (decided != nullptr && decided->order != nullptr) what.current = decided->order;
      if (is_idle) what.actor = order_actor{};
    });
  }
  count_live(before);
}

void order_keeper::count_live(std::size_t before) {
  parts_.counters->live_orders.fetch_add(static_cast<std::int64_t>(shelf_.size()) - static_cast<std::int64_t>(before),
                                         std::memory_order_relaxed);
}

}  // namespace ordem::actors
