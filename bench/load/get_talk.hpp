// get_talk: reads one of the connection's own orders at a time, each of which must be as the last answer left it.
#pragma once

#include <string>
#include <vector>

#include "bench/load/conversation.hpp"
#include "bench/load/order_answer.hpp"
#include "bench/load/order_text.hpp"
#include "bench/load/random_source.hpp"

namespace ordem::bench {

class get_talk : public conversation {
 public:
  /// `text` and `orders`, of which there must be one at the first request, must outlive it.
  get_talk(std::string_view host, const order_text& text, const std::vector<known_order>& orders, random_source random);

  [[nodiscard]] std::string_view next_request() override;
  [[nodiscard]] request_kind kind() const override { return request_kind::get; }
  [[nodiscard]] verdict judge(const answer& got) override;

 private:
  const order_text& text_;
  const std::vector<known_order>& orders_;
  random_source random_;
  std::size_t chosen_ = 0;
  std::string request_;
};

}  // namespace ordem::bench
