#include "actors/live_order.hpp"

#include <utility>

namespace ordem::actors {

live_order::live_order(caf::actor_config& config, live_order_parts parts)
    : order_actor::base(config), parts_(std::move(parts)) {
  stop_on_exception(this);
}

live_order::behavior_type live_order::make_behavior() {
  return {[this](execute_task& what) { execute_one(std::move(what.task)); }};
}

void live_order::on_exit() {
  parts_.writer = commit_writer_actor{};
}

void live_order::execute_one(task&& what) {
  commit decisions;
  if (parts_.current == nullptr) {
    auto read = parts_.committed->find_order(parts_.id);
    if (!read) {
      decisions.decisions.push_back({{what.ticket, what.shard, std::move(what.message.guid), what.message.target,
                                      refusal{unavailability::storage_failed}},
                                     std::nullopt});
      send(parts_.writer, std::move(decisions));
      return;
    }
    parts_.current = std::move(*read);
  }
  auto [decided, after] =
      execute(std::move(what), std::move(parts_.current), order_id{}, parts_.clock->now(), parts_.message_ttl);
  parts_.current = std::move(after);
  decisions.decisions.push_back(std::move(decided));
  send(parts_.writer, std::move(decisions));
}

}  // namespace ordem::actors
