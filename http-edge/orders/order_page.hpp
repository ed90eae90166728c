// A page of a list of orders on its way to be an answer: orders are read and rendered one by one, until there are as
// many as were asked for, or limits::page_bytes_max of them. It can be left off and taken up again between two orders,
// so that a large page, or one that is read from the disk, does not keep an I/O thread from its other connections.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/codec/order_json.hpp"
#include "engine/ports/readers.hpp"
#include "http-edge/protocol/response.hpp"

namespace ordem::http_edge {

class order_page {
 public:
  // `cursor_after`: the cursor of the page that begins behind an order. `list_name` is a literal.
  order_page(std::string_view list_name, std::unique_ptr<order_list> orders, std::size_t orders_max,
             std::string (*cursor_after)(const order&));

  // Reads on until then, one order at least. Returns the answer once there is one; the last call is the one that does.
  std::optional<response> read_until(std::chrono::steady_clock::time_point end);

 private:
  response finish(bool has_next);

  std::unique_ptr<order_list> orders_;
  std::size_t orders_max_;
  std::string (*cursor_after_)(const order&);
  codec::order_list_json body_;
  shared_order last_;
};

}  // namespace ordem::http_edge
