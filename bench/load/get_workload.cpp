#include "bench/load/get_workload.hpp"

#include <span>

namespace ordem::bench {
namespace {

constexpr std::string_view target = "GET /api/v1/orders/";

}  // namespace

get_workload::get_workload(std::string_view fields, const order_text& text, const std::vector<known_order>& orders,
                           random_source random)
    : text_(text), orders_(orders), random_(random), request_(target) {
  request_.append(uuid_text_bytes, '0').append(" HTTP/1.1\r\n").append(fields).append("\r\n\r\n");
}

std::string_view get_workload::next_request() {
  chosen_ = random_.below(orders_.size());
  write_uuid(orders_[chosen_].id, std::span<char, uuid_text_bytes>(request_.data() + target.size(), uuid_text_bytes));
  return request_;
}

verdict get_workload::judge(const answer& got) {
  const auto& order = orders_[chosen_];
  if (read_.size() < orders_.size()) read_.resize(orders_.size());
  auto& read = read_[chosen_];
  if (read.version == order.version) {
    if (got.status != 200) return verdict::wrong_status;
    if (got.header("etag") != read.etag) return verdict::wrong_header;
    return got.body == read.body ? verdict::right : verdict::wrong_body;
  }
  const auto checked = check_order(
      got, {.status = 200, .message = "ok", .id = order.id, .version = order.version, .turn = order.turn}, text_);
  if (checked == verdict::right) {
    read.version = order.version;
    read.etag = *got.header("etag");
    read.body = got.body;
  }
  return checked;
}

}  // namespace ordem::bench
