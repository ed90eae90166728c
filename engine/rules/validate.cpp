#include "engine/rules/validate.hpp"

#include <algorithm>

#include "engine/base/limits.hpp"

namespace ordem {
namespace {

// Counts the Unicode characters of valid UTF-8: every byte except continuation bytes begins one.
std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_between(std::size_t value, std::size_t least, std::size_t most) noexcept {
  return value >= least && value <= most;
}

validation_error unless(bool fine, std::string_view rule) noexcept {
  return fine ? validation_error{} : validation_error{rule};
}

bool has_null_character(std::string_view text) noexcept {
  return text.find('\0') != std::string_view::npos;
}

// Returns whether valid UTF-8 has one of U+0000 to U+001F, or of U+007F to U+009F.
bool has_control_character(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

bool has_null_character(const json_object& object) noexcept;

bool has_null_character(const json_value& value) noexcept {
  if (const auto* text = std::get_if<std::string>(&value.data)) return has_null_character(std::string_view(*text));
  if (const auto* object = std::get_if<json_object>(&value.data)) return has_null_character(*object);
  const auto* array = std::get_if<json_array>(&value.data);
  return array != nullptr &&
         std::any_of(array->begin(), array->end(), [](const auto& element) { return has_null_character(element); });
}

bool has_null_character(const json_object& object) noexcept {
  return std::any_of(object.begin(), object.end(), [](const auto& member) {
    return has_null_character(std::string_view(member.first)) || has_null_character(member.second);
  });
}

std::size_t depth_of(const json_value& value) {
  std::size_t deepest = 0;
  if (const auto* array = std::get_if<json_array>(&value.data)) {
    for (const auto& element : *array) deepest = std::max(deepest, depth_of(element));
    return deepest + 1;
  }
  if (const auto* object = std::get_if<json_object>(&value.data)) {
    for (const auto& member : *object) deepest = std::max(deepest, depth_of(member.second));
    return deepest + 1;
  }
  return 0;
}

}  // namespace

validation_error validate_text(std::string_view text) noexcept {
  return unless(!has_null_character(text), "must not contain the character U+0000");
}

validation_error validate_name(std::string_view name) noexcept {
  return unless(!has_null_character(name), "must not have the character U+0000 in its name");
}

validation_error validate_customer_id(std::string_view text) noexcept {
  if (const auto rule = validate_text(text)) return rule;
  return unless(is_between(count_characters(text), 1, limits::customer_id_characters_max),
                "must have 1 to 128 characters");
}

validation_error validate_external_id(std::string_view text) noexcept {
  if (has_control_character(text)) return "must not contain control characters";
  return unless(is_between(count_characters(text), 1, limits::external_id_characters_max),
                "must have 1 to 128 characters");
}

validation_error validate_currency(std::string_view text) noexcept {
  return unless(text.size() == 3 && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; }),
                "must be three capital letters, such as EUR");
}

validation_error validate_sku(std::string_view text) noexcept {
  if (const auto rule = validate_text(text)) return rule;
  return unless(is_between(count_characters(text), 1, limits::sku_characters_max), "must have 1 to 64 characters");
}

validation_error validate_quantity(std::int64_t quantity) noexcept {
  return unless(quantity >= 1 && quantity <= limits::quantity_max, "must be an integer from 1 to 1000000");
}

validation_error validate_unit_price(std::int64_t minor_units) noexcept {
  return unless(minor_units >= 0 && minor_units <= limits::unit_price_minor_units_max,
                "must be an integer of minor units from 0 to 1000000000000");
}

validation_error validate_item_count(std::size_t count) noexcept {
  return unless(is_between(count, 1, limits::items_max), "must have 1 to 500 items");
}

validation_error validate_total(const std::vector<order_item>& items) noexcept {
  return unless(total_of(items).has_value(), "the total of the items must not exceed 9007199254740991 minor units");
}

validation_error validate_attributes(const json_object& attributes) {
  std::string text;
  text.reserve(256);
  append_json(text, attributes);
  if (text.size() > limits::attributes_bytes_max) return "must not exceed 16384 bytes as compact JSON";
  return unless(depth_of({attributes}) < limits::json_depth_max, "must not be nested deeper than 63 levels");
}

validation_error validate_texts_of(const json_object& attributes) noexcept {
  return unless(!has_null_character(attributes), "must not contain the character U+0000 in a text or a name");
}

std::vector<violation> violations_of(const order_content& content) {
  std::vector<violation> found;
  const auto note = [&found](validation_error rule, auto&& pointer) {
    if (rule) found.push_back({std::string(pointer), std::string(*rule)});
  };
  note(validate_customer_id(content.customer_id), "/customer_id");
  if (content.external_id) note(validate_external_id(*content.external_id), "/external_id");
  note(validate_currency({content.currency.data(), content.currency.size()}), "/currency");
  note(validate_item_count(content.items.size()), "/items");
  for (std::size_t i = 0; i < content.items.size(); ++i) {
    const order_item& item = content.items[i];
    const std::string at = "/items/" + std::to_string(i);
    note(validate_sku(item.sku), at + "/sku");
    note(validate_quantity(item.quantity), at + "/quantity");
    note(validate_unit_price(item.unit_price.minor_units()), at + "/unit_price");
  }
  note(validate_total(content.items), "/items");
  if (content.attributes) {
    note(validate_attributes(*content.attributes), "/attributes");
    note(validate_texts_of(*content.attributes), "/attributes");
  }
  return found;
}

}  // namespace ordem
