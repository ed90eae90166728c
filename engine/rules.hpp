// The rules for what an order may hold, each as a sentence. Values of a wrong JSON type never get here: the edge says
// so itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/order.hpp"

namespace ordem {

// One thing wrong with a request: where (JSON Pointer, RFC 6901) and what.
struct violation {
  std::string pointer;
  std::string detail;
  friend bool operator==(const violation&, const violation&) = default;
};

// Each gives nothing if the value is fine, or else what the rule asks for.
using objection = std::optional<std::string_view>;

objection object_to_customer_id(std::string_view text) noexcept;
objection object_to_currency(std::string_view text) noexcept;
objection object_to_sku(std::string_view text) noexcept;
objection object_to_quantity(std::int64_t quantity) noexcept;
objection object_to_unit_price(std::int64_t minor_units) noexcept;
objection object_to_item_count(std::size_t count) noexcept;
objection object_to_total(const std::vector<order_item>& items) noexcept;
objection object_to_attributes(const json_object& attributes);

// All that is wrong with a content; empty if it may stand.
std::vector<violation> violations_of(const order_content& content);

}  // namespace ordem
