#include "actors/order_keeper.hpp"

#include <functional>
#include <utility>

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
      [this](admit& batch) { execute_all(batch); },
      [this](const settle& notice) { let_go(notice); },
  };
}

void order_keeper::on_exit() {
  parts_.writer = commit_writer_actor{};  // actors that hold each other would never go
}

void order_keeper::execute_all(admit& batch) {
  const std::size_t before = shelf_.size();
  const timestamp now = parts_.clock->now();
  commit decisions;
  decisions.decisions.reserve(batch.tasks.size());
  for (task& each : batch.tasks) decisions.decisions.push_back(execute_one(std::move(each), now));
  send(parts_.writer, std::move(decisions));
  count_live(before);
}

decided order_keeper::execute_one(task&& what, timestamp now) {
  const order_id id = *what.message.target;
  shared_order& current = shelf_.hold(id, [] { return shared_order{}; });
  if (current == nullptr) {
    auto read = parts_.committed->find_order(id);
    if (!read) {
      return {{what.ticket, what.shard, std::move(what.message.guid), id, refusal{unavailability::storage_failed}},
              std::nullopt};
    }
    current = std::move(*read);
  }
  auto [decision, after] = execute(std::move(what), std::move(current), order_id{}, now, parts_.message_ttl);
  current = std::move(after);
  return std::move(decision);
}

void order_keeper::let_go(const settle& notice) {
  const std::size_t before = shelf_.size();
  for (const settlement& each : *notice.group) {
    if (each.target && keeper_of(*each.target, parts_.keepers) == parts_.number) shelf_.release(*each.target);
  }
  count_live(before);
}

void order_keeper::count_live(std::size_t before) {
  parts_.counters->live_orders.fetch_add(static_cast<std::int64_t>(shelf_.size()) - static_cast<std::int64_t>(before),
                                         std::memory_order_relaxed);
}

}  // namespace ordem::actors
