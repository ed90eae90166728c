#include "actors/orders/order_actor.hpp"

#include <iterator>
#include <utility>

#include "actors/traced_execution.hpp"
#include "engine/rules/decide.hpp"

namespace ordem::actors {

order_actor::order_actor(caf::actor_config& config, std::shared_ptr<const order_context> context, const order_id& id)
    : order_handle::base(config), context_(std::move(context)), id_(id) {
  stop_on_exception(this);
}

order_actor::behavior_type order_actor::make_behavior() {
  return {
      [this](execute& batch) { on_execute(batch); },
      [this](loaded& read) { on_loaded(read); },
      [this](base_loaded& read) { on_base_loaded(read); },
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
  for (auto next = tasks.begin(); next != tasks.end(); ++next) {
    const auto base = merge_base(current_.get(), next->message);
    if (base && base_of_ != base) {
      loading_ = true;
      waiting_.assign(std::move_iterator(next), std::move_iterator(tasks.end()));
      context_->loader->load_version(id_, *base, caf::actor_cast<order_handle>(this));
      break;
    }
    auto [decision, after] = execute_traced(context_->tracer, std::move(*next), std::move(current_), order_id{}, now,
                                            context_->message_ttl, base ? base_ : nullptr);
    current_ = std::move(after);
    decisions.push_back(std::move(decision));
  }
  if (!loading_) {
    base_of_.reset();
    base_.reset();
  }
  if (!decisions.empty()) context_->decisions->push(std::move(decisions));
}

// If the base can't be read, the first task is refused, which is the one that needs it.
void order_actor::on_base_loaded(base_loaded& read) {
  loading_ = false;
  auto tasks = std::exchange(waiting_, {});
  if (read.base) {
    base_of_ = read.which;
    base_ = std::move(*read.base);
  } else {
    std::vector<task> failed;
    failed.push_back(std::move(tasks.front()));
    tasks.erase(tasks.begin());
    refuse_all(std::move(failed));
  }
  decide_all(std::move(tasks));
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
