#include "actors/orders/order_actor.hpp"

#include <iterator>
#include <utility>

#include "actors/traced_execution.hpp"

namespace ordem::actors {

order_actor::order_actor(caf::actor_config& config, std::shared_ptr<const order_context> context, const order_id& id)
    : order_handle::base(config), context_(std::move(context)), id_(id) {
  stop_on_exception(this);
}

order_actor::behavior_type order_actor::make_behavior() {
  return {
      [this](execute& batch) { on_execute(batch); },
      [this](loaded& read) { on_loaded(read); },
  };
}

void order_actor::on_execute(execute& batch) {
  if (loading_) {
    waiting_.insert(waiting_.end(), std::move_iterator(batch.tasks.begin()), std::move_iterator(batch.tasks.end()));
    return;
  }
  if (current_ == nullptr) {
    auto cached = context_->committed->find_cached_order(id_);
    if (!cached) {
      loading_ = true;
      waiting_ = std::move(batch.tasks);
      context_->loader->load(id_, caf::actor_cast<order_handle>(this));
      return;
    }
    current_ = std::move(*cached);
  }
  decide_all(std::move(batch.tasks));
}

void order_actor::on_loaded(loaded& read) {
  loading_ = false;
  auto tasks = std::exchange(waiting_, {});
  if (!read.order) return refuse_all(std::move(tasks));
  current_ = std::move(*read.order);
  decide_all(std::move(tasks));
}

void order_actor::decide_all(std::vector<task>&& tasks) {
  const timestamp now = context_->clock->now();
  std::vector<decided> decisions;
  decisions.reserve(tasks.size());
  for (task& each : tasks) {
    auto [decision, after] =
        execute_traced(context_->tracer, std::move(each), std::move(current_), order_id{}, now, context_->message_ttl);
    current_ = std::move(after);
    decisions.push_back(std::move(decision));
  }
  context_->decisions->push(std::move(decisions));
}

void order_actor::refuse_all(std::vector<task>&& tasks) {
  std::vector<decided> decisions;
  decisions.reserve(tasks.size());
  for (task& each : tasks) {
    message_key key{std::move(each.message.origin.tenant), std::move(each.message.guid)};
    decisions.push_back(
        {{each.token, each.shard, std::move(key), id_, refusal{unavailability::storage_failed}}, std::nullopt});
  }
  context_->decisions->push(std::move(decisions));
}

}  // namespace ordem::actors
