#include "bench/load/create_workload.hpp"

#include <xxhash.h>

namespace ordem::bench {

create_workload::create_workload(order_text& text, random_source random, double repeat_share, findings& noted)
    : text_(text), random_(random), repeat_share_(repeat_share), noted_(noted) {}

std::string_view create_workload::next_request() {
  repeated_ = nullptr;
  if (executed_count_ >= repeatable_max && random_.happens(repeat_share_)) {
    repeated_ = &executed_[random_.below(repeatable_max)];
    return text_.create(repeated_->guid, repeated_->turn);
  }
  guid_ = random_.next_uuid();
  return text_.create(guid_, ++turn_);
}

verdict create_workload::judge(const answer& got) {
  return repeated_ ? judge_repeat(got, *repeated_) : judge_create(got);
}

verdict create_workload::judge_create(const answer& got) {
  const auto checked = check_order(
      got, {.status = 201, .message = "order created", .id = std::nullopt, .version = 1, .turn = turn_}, text_);
  if (checked != verdict::right) return checked;
  const uuid id = *order_id_of(got);
  if (id == last_.id) return verdict::wrong_body;  // the order before, again
  constexpr std::string_view orders = "/api/v1/orders/";
  const auto location = got.header("location").value_or("");
  if (!location.starts_with(orders) || parse_uuid(location.substr(orders.size())) != id || is_replay(got)) {
    return verdict::wrong_header;
  }
  last_ = {.id = id, .version = 1, .turn = turn_};
  noted_.created.push_back(id);
  if (repeat_share_ > 0) {
    auto& kept = executed_[executed_count_++ % repeatable_max];
    kept.guid = guid_;
    kept.turn = turn_;
    kept.status = got.status;
    kept.etag = *got.header("etag");
    kept.location = hash_of(location);
    kept.body = hash_of(got.body);
  }
  return verdict::right;
}

create_workload::text_hash create_workload::hash_of(std::string_view text) noexcept {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.high64, hash.low64};
}

verdict create_workload::judge_repeat(const answer& got, const executed& first) {
  if (got.status != first.status) return verdict::wrong_status;
  if (got.header("idempotency-replayed") != "true" || got.header("etag") != first.etag ||
      hash_of(got.header("location").value_or("")) != first.location) {
    return verdict::wrong_header;
  }
  return hash_of(got.body) == first.body ? verdict::right : verdict::wrong_body;
}

}  // namespace ordem::bench
