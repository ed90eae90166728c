#include "bench/load/update_workload.hpp"

namespace ordem::bench {

update_workload::update_workload(order_text& text, std::vector<known_order>& orders, random_source random,
                                 double stale_share)
    : text_(text), orders_(orders), random_(random), stale_share_(stale_share) {}

std::string_view update_workload::next_request() {
  chosen_ = random_.below(orders_.size());
  const auto& order = orders_[chosen_];
  is_stale_ = order.version > 1 && random_.happens(stale_share_);
  turn_ = order.turn + 1;
  return text_.update(random_.next_uuid(), order.id, is_stale_ ? order.version - 1 : order.version, turn_);
}

verdict update_workload::judge(const answer& got) {
  auto& order = orders_[chosen_];
  if (is_stale_) {
    const auto checked = judge_stale(got, order.version - 1);
    if (checked != verdict::stale) return checked;
    if (is_replay(got)) return verdict::wrong_header;
    return current_version_of(got) == order.version ? verdict::stale : verdict::wrong_body;
  }
  const auto checked = check_order(
      got, {.status = 200, .message = "order updated", .id = order.id, .version = order.version + 1, .turn = turn_},
      text_);
  if (checked != verdict::right) return checked;
  if (is_replay(got)) return verdict::wrong_header;
  ++order.version;
  order.turn = turn_;
  return verdict::right;
}

}  // namespace ordem::bench
