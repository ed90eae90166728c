// Validation of the content of an order. The codec reports values of a wrong JSON type itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/order.hpp"
#include "engine/model/violation.hpp"

namespace ordem {

// nullopt if the value is valid, else the rule that it breaks. The text is a literal.
using validation_error = std::optional<std::string_view>;

// For any text in an order, and for the name of an attribute at any depth. Both reject U+0000, which Postgres can store
// neither in text nor in jsonb.
validation_error validate_text(std::string_view text) noexcept;
validation_error validate_name(std::string_view name) noexcept;

validation_error validate_customer_id(std::string_view text) noexcept;
// Rejects control characters (U+0000 to U+001F, U+007F to U+009F).
validation_error validate_external_id(std::string_view text) noexcept;
validation_error validate_currency(std::string_view text) noexcept;
validation_error validate_sku(std::string_view text) noexcept;
validation_error validate_quantity(std::int64_t quantity) noexcept;
validation_error validate_unit_price(std::int64_t minor_units) noexcept;
validation_error validate_item_count(std::size_t count) noexcept;
validation_error validate_total(const std::vector<order_item>& items) noexcept;
validation_error validate_attributes(const json_object& attributes);
// Applies validate_text() and validate_name() to all attributes.
validation_error validate_texts_of(const json_object& attributes) noexcept;

// Returns all violations of the content; empty if it is valid.
std::vector<violation> violations_of(const order_content& content);

}  // namespace ordem
