// The rules for what an order may hold, each as a sentence. Values of a wrong JSON type never get here: the edge says
// so itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/order.hpp"
#include "engine/model/violation.hpp"

namespace ordem {

// Each gives nothing if the value is fine, or else what the rule asks for.
using objection = std::optional<std::string_view>;

// A text anywhere in an order, and the name of an attribute at any depth. Postgres holds U+0000 neither in text nor in
// jsonb, so no order has it.
objection object_to_text(std::string_view text) noexcept;
objection object_to_name(std::string_view name) noexcept;

objection object_to_customer_id(std::string_view text) noexcept;
objection object_to_currency(std::string_view text) noexcept;
objection object_to_sku(std::string_view text) noexcept;
objection object_to_quantity(std::int64_t quantity) noexcept;
objection object_to_unit_price(std::int64_t minor_units) noexcept;
objection object_to_item_count(std::size_t count) noexcept;
objection object_to_total(const std::vector<order_item>& items) noexcept;
objection object_to_attributes(const json_object& attributes);
// The rules for texts and names, of all in the attributes at once.
objection object_to_texts_of(const json_object& attributes) noexcept;

// All that is wrong with a content; empty if it may stand.
std::vector<violation> violations_of(const order_content& content);

}  // namespace ordem
