// conversation: what one connection asks, and which answers it takes for right.
//
// Owned by one connection and used on its thread only. It knows the orders' wire format and nothing of sockets. The
// request's text is rendered once; from then on only its GUID changes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "bench/load/response_reader.hpp"
#include "bench/load/uuid.hpp"

namespace ordem::bench {

enum class scenario {
  create,  // a new order each time: POST /api/v1/orders
  get,     // one order, again and again: GET /api/v1/orders/{id}
  bare,    // the bytes of `create`, for a server that answers a constant
};

enum class verdict { right, wrong_status, wrong_body };

/// Most items of an order, as the API has it.
inline constexpr std::size_t body_items_max = 500;

class conversation {
 public:
  /// Creates orders of a customer of its own: `number` names the connection and must be unique within the run.
  /// `host` is the Host header's value, `items` is 1..body_items_max.
  static conversation about_new_orders(std::string_view host, unsigned number, std::size_t items);
  /// Sends what about_new_orders sends; takes any 200 or 201 whose body is the same each time.
  static conversation about_a_constant(std::string_view host, unsigned number, std::size_t items);
  /// Reads the order that `creation`, a conversation about new orders, was given last.
  static conversation about_order(std::string_view host, const conversation& creation);

  /// The next request, good until the next call. It carries `guid` if it is a write.
  [[nodiscard]] std::string_view next_request(const uuid& guid) noexcept;

  /// Checks the answer to the last request.
  [[nodiscard]] verdict judge(const answer& got);

  /// The order that the last answer judged right was about; nothing in a conversation about a constant.
  [[nodiscard]] const std::optional<uuid>& order_id() const noexcept { return order_id_; }

  [[nodiscard]] std::size_t request_bytes() const noexcept { return request_.size(); }
  [[nodiscard]] std::size_t body_bytes() const noexcept { return body_bytes_; }

 private:
  conversation(scenario what, std::string_view host, unsigned number, std::size_t items);

  verdict judge_order(const answer& got, unsigned status_wanted);
  verdict judge_constant(const answer& got);

  scenario what_;
  std::string customer_;  // with its quotes, as it must show up in the answer
  std::string sku_;       // the last item's, likewise
  std::string request_;
  std::size_t body_bytes_ = 0;
  std::size_t guid_offset_ = 0;  // in request_; 0: it has none
  std::optional<uuid> order_id_;
  std::string constant_;  // the first answer's body
};

}  // namespace ordem::bench
