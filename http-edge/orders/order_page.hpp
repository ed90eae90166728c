// A page of a list of orders that is being read: orders are read and rendered one by one, up to the requested number or
// limits::page_bytes_max. Reading can be suspended between two orders, so that a large page, or one that is read from
// disk, does not keep an I/O thread from its other connections. Owned by a session, used by its I/O thread.
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
  // `cursor_after` returns the cursor of the page that begins behind an order. `list_name` must be a literal.
  order_page(std::string_view list_name, std::unique_ptr<order_list> orders, std::size_t orders_max,
             std::string (*cursor_after)(const order&));

  // Reads at least one order, and further ones until `end`. Returns the response once the page is complete, else
  // nullopt. REQUIRES: no earlier call returned a response.
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
