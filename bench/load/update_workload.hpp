// update_workload: updates one of the connection's own orders at a time, against the last version that it received; a
// share of its requests against an older one, which must be refused.
#pragma once

#include <vector>

#include "bench/load/order_answer.hpp"
#include "bench/load/order_text.hpp"
#include "bench/load/random_source.hpp"
#include "bench/load/workload.hpp"

namespace ordem::bench {

class update_workload : public workload {
 public:
  /// `stale_share` is 0..1; an order at its first version is never updated against an older one. `text` and `orders`,
  /// of which there must be one at the first request, must outlive it. No other connection may update those orders.
  update_workload(order_text& text, std::vector<known_order>& orders, random_source random, double stale_share);

  [[nodiscard]] std::string_view next_request() override;
  [[nodiscard]] request_kind kind() const override {
    return is_stale_ ? request_kind::stale_update : request_kind::update;
  }
  [[nodiscard]] verdict judge(const answer& got) override;

 private:
  order_text& text_;
  std::vector<known_order>& orders_;
  random_source random_;
  double stale_share_;
  std::size_t chosen_ = 0;
  std::uint64_t turn_ = 0;  // of the last request
  bool is_stale_ = false;
};

}  // namespace ordem::bench
