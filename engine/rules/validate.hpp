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
using validation_error = std::optional<std::string_view>;

// A text anywhere in an order, and the name of an attribute at any depth. Postgres holds U+0000 neither in text nor in
// jsonb, so no order has it.
validation_error validate_text(std::string_view text) noexcept;
validation_error validate_name(std::string_view name) noexcept;

validation_error validate_customer_id(std::string_view text) noexcept;
validation_error validate_currency(std::string_view text) noexcept;
validation_error validate_sku(std::string_view text) noexcept;
validation_error validate_quantity(std::int64_t quantity) noexcept;
validation_error validate_unit_price(std::int64_t minor_units) noexcept;
validation_error validate_item_count(std::size_t count) noexcept;
validation_error validate_total(const std::vector<order_item>& items) noexcept;
validation_error validate_attributes(const json_object& attributes);
// The rules for texts and names, of all in the attributes at once.
validation_error validate_texts_of(const json_object& attributes) noexcept;

// All that is wrong with a content; empty if it may stand.
std::vector<violation> violations_of(const order_content& content);

}  // namespace ordem
