// get_workload: reads one of the connection's own orders at a time, each of which must be in the state of the last
// answer. The first read of a state is checked in full; further ones must be the same byte for byte.
#pragma once

#include <string>
#include <vector>

#include "bench/load/order_answer.hpp"
#include "bench/load/order_text.hpp"
#include "bench/load/random_source.hpp"
#include "bench/load/workload.hpp"

namespace ordem::bench {

class get_workload : public workload {
 public:
  /// `text` and `orders`, of which there must be one at the first request, must outlive it.
  get_workload(std::string_view fields, const order_text& text, const std::vector<known_order>& orders,
               random_source random);

  [[nodiscard]] std::string_view next_request() override;
  [[nodiscard]] request_kind kind() const override { return request_kind::get; }
  [[nodiscard]] verdict judge(const answer& got) override;

 private:
  const order_text& text_;
  const std::vector<known_order>& orders_;
  struct read_order {
    std::uint64_t version = 0;  // 0: not read yet
    std::string etag;
    std::string body;
  };

  random_source random_;
  std::size_t chosen_ = 0;
  std::vector<read_order> read_;  // as last read, by the place in orders_
  std::string request_;
};

}  // namespace ordem::bench
