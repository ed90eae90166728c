#include "bench/load/scenario.hpp"

#include <string>
#include <utility>
#include <vector>

#include "bench/load/batch_workload.hpp"
#include "bench/load/capture_workload.hpp"
#include "bench/load/create_workload.hpp"
#include "bench/load/get_workload.hpp"
#include "bench/load/random_source.hpp"
#include "bench/load/update_workload.hpp"

namespace ordem::bench {
namespace {

// Sends what create_workload sends; takes any 200 or 201 whose body is the same each time.
class constant_workload : public workload {
 public:
  constant_workload(order_text text, random_source random) : text_(std::move(text)), random_(random) {}

  std::string_view next_request() override { return text_.create(random_.next_uuid(), ++turn_); }
  request_kind kind() const override { return request_kind::constant; }
  verdict judge(const answer& got) override {
    if (got.status != 200 && got.status != 201) return verdict::wrong_status;
    if (constant_.empty()) constant_ = got.body;
    return !got.body.empty() && got.body == constant_ ? verdict::right : verdict::wrong_body;
  }

 private:
  order_text text_;
  random_source random_;
  std::uint64_t turn_ = 0;
  std::string constant_;  // the first answer's body
};

// Draws each request from one of several workloads on the orders of this connection, after their creation.
class orders_workload : public workload {
 public:
  orders_workload(const scenario_plan& plan, const workload_place& place)
      : text_(place.fields, place.number, plan.body),
        random_(place.seed, std::uint64_t{place.number} << 8),
        orders_wanted_(uses_own_orders(plan.what) ? plan.orders_each : 0),
        creation_(text_, source(place), 0, *place.noted) {
    orders_.reserve(orders_wanted_);
    add_parts(plan, place);
  }

  bool is_prepared() const override { return orders_.size() >= orders_wanted_; }

  std::string_view next_request() override {
    current_ = is_prepared() ? &drawn() : &creation_;
    return current_->next_request();
  }
  request_kind kind() const override { return current_->kind(); }
  verdict judge(const answer& got) override {
    const auto checked = current_->judge(got);
    if (current_ == &creation_ && checked == verdict::right) orders_.push_back(creation_.last_created());
    return checked;
  }

 private:
  void add_parts(const scenario_plan& plan, const workload_place& place) {
    switch (plan.what) {
      case scenario::update: return add_update(1, 0, place);
      case scenario::conflict: return add_update(1, plan.conflict_share, place);
      case scenario::get: return add_get(1, place);
      case scenario::replay: return add_create(1, plan.replay_share, place);
      case scenario::create: return add_create(1, 0, place);
      case scenario::mixed:
        add_get(mixed_shares.get, place);
        add_update(mixed_shares.update, mixed_shares.stale_of_updates, place);
        add_create(mixed_shares.create, mixed_shares.repeats_of_creates, place);
        return add(mixed_shares.capture, std::make_unique<capture_workload>(place.fields, source(place), 0));
      case scenario::hot_order:
      case scenario::captures:
      case scenario::batch:
      case scenario::batch_update:
      case scenario::bare: return;  // not drawn from these workloads
    }
  }

  // Each part has random numbers of its own.
  random_source source(const workload_place& place) {
    return {place.seed, (std::uint64_t{place.number} << 8) + ++sources_};
  }
  void add(double share, std::unique_ptr<workload> part) { parts_.emplace_back(share, std::move(part)); }
  void add_create(double share, double repeat_share, const workload_place& place) {
    add(share, std::make_unique<create_workload>(text_, source(place), repeat_share, *place.noted));
  }
  void add_update(double share, double stale_share, const workload_place& place) {
    add(share, std::make_unique<update_workload>(text_, orders_, source(place), stale_share));
  }
  void add_get(double share, const workload_place& place) {
    add(share, std::make_unique<get_workload>(place.fields, text_, orders_, source(place)));
  }

  workload& drawn() {
    if (parts_.size() == 1) return *parts_.front().second;
    double place = random_.fraction();
    for (const auto& [share, part] : parts_) {
      if (place < share) return *part;
      place -= share;
    }
    return *parts_.back().second;
  }

  order_text text_;
  std::uint64_t sources_ = 0;
  random_source random_;
  std::size_t orders_wanted_;
  std::vector<known_order> orders_;
  create_workload creation_;
  std::vector<std::pair<double, std::unique_ptr<workload>>> parts_;
  workload* current_ = &creation_;
};

}  // namespace

std::unique_ptr<workload> make_workload(const scenario_plan& plan, const workload_place& place) {
  const random_source random(place.seed, place.number);
  switch (plan.what) {
    case scenario::create:
    case scenario::update:
    case scenario::get:
    case scenario::replay:
    case scenario::conflict:
    case scenario::mixed: return std::make_unique<orders_workload>(plan, place);
    case scenario::hot_order:
      return std::make_unique<hot_order_workload>(place.fields, plan.body, random, place.number, *place.hot,
                                                  *place.noted);
    case scenario::captures: return std::make_unique<capture_workload>(place.fields, random, plan.body.bytes);
    case scenario::batch:
    case scenario::batch_update:
      return std::make_unique<batch_workload>(place.fields, order_text(place.fields, place.number, plan.body),
                                              plan.batch_lines, uses_own_orders(plan.what) ? plan.orders_each : 0,
                                              random, *place.noted);
    case scenario::bare:
      return std::make_unique<constant_workload>(order_text(place.fields, place.number, plan.body), random);
  }
  return nullptr;
}

}  // namespace ordem::bench
