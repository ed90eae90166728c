#include "engine/rules/validate.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "tests/engine/orders.hpp"

namespace ordem {
namespace {

using namespace testing;

std::string repeated(std::string_view character, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += character;
  return text;
}

json_object nested(std::size_t levels) {
  json_value value = object({});
  for (std::size_t i = 1; i < levels; ++i)
    value = i % 2 == 0 ? array({std::move(value)}) : object({{"a", std::move(value)}});
  return {{"a", std::move(value)}};
}

// Attributes of exactly so many bytes of compact JSON.
json_object attributes_of_bytes(std::size_t bytes) {
  json_object made{{"a", text(std::string(bytes - std::string_view(R"({"a":""})").size(), 'x'))}};
  REQUIRE(json_of({made}).size() == bytes);
  return made;
}

constexpr std::string_view one_byte = "a";
constexpr std::string_view two_bytes = "\xC3\xA4";
constexpr std::string_view three_bytes = "\xE2\x82\xAC";
constexpr std::string_view four_bytes = "\xF0\x9F\x98\x80";

TEST_CASE("a customer id has 1 to 128 characters, however many bytes each takes") {
  constexpr auto rule = "must have 1 to 128 characters";
  CHECK(validate_customer_id("") == rule);
  for (const auto character : {one_byte, two_bytes, three_bytes, four_bytes}) {
    CAPTURE(character);
    CHECK_FALSE(validate_customer_id(character));
    CHECK_FALSE(validate_customer_id(repeated(character, 127)));
    CHECK_FALSE(validate_customer_id(repeated(character, 128)));
    CHECK(validate_customer_id(repeated(character, 129)) == rule);
  }
}

TEST_CASE("an external id has 1 to 128 characters, none of them a control character") {
  constexpr auto rule = "must have 1 to 128 characters";
  constexpr auto no_control = "must not contain control characters";
  CHECK(validate_external_id("") == rule);
  for (const auto character : {one_byte, two_bytes, three_bytes, four_bytes}) {
    CAPTURE(character);
    CHECK_FALSE(validate_external_id(character));
    CHECK_FALSE(validate_external_id(repeated(character, 128)));
    CHECK(validate_external_id(repeated(character, 129)) == rule);
  }
  CHECK_FALSE(validate_external_id(" PO 7 \xC2\xA0"));
  for (int code = 0; code < 0x20; ++code) {
    CAPTURE(code);
    CHECK(validate_external_id("a" + std::string(1, static_cast<char>(code))) == no_control);
  }
  for (const std::string_view control : {"a\n", "\x7F", "\xC2\x80",
                                         "b\xC2\x9F"
                                         "c"}) {
    CAPTURE(control);
    CHECK(validate_external_id(control) == no_control);
  }
}

TEST_CASE("a sku has 1 to 64 characters, however many bytes each takes") {
  constexpr auto rule = "must have 1 to 64 characters";
  CHECK(validate_sku("") == rule);
  for (const auto character : {one_byte, two_bytes, three_bytes, four_bytes}) {
    CAPTURE(character);
    CHECK_FALSE(validate_sku(character));
    CHECK_FALSE(validate_sku(repeated(character, 63)));
    CHECK_FALSE(validate_sku(repeated(character, 64)));
    CHECK(validate_sku(repeated(character, 65)) == rule);
  }
}

TEST_CASE("no text of an order contains U+0000, at any place of it") {
  constexpr auto rule = "must not contain the character U+0000";
  for (const std::string_view with : {std::string_view("\0", 1), std::string_view("\0a", 2), std::string_view("a\0", 2),
                                      std::string_view("a\0b", 3)}) {
    CHECK(validate_text(with) == rule);
    CHECK(validate_customer_id(with) == rule);
    CHECK(validate_sku(with) == rule);
    CHECK(validate_name(with) == "must not have the character U+0000 in its name");
  }
  for (const std::string_view without : {"", "a", "\x01", "\\u0000", "0"}) {
    CAPTURE(without);
    CHECK_FALSE(validate_text(without));
    CHECK_FALSE(validate_name(without));
  }
}

TEST_CASE("no attribute contains U+0000 in a text or a name, at any depth") {
  const std::string with("a\0b", 3);
  const json_object fine{{"a", array({text("b"), number("1"), null(), {true}, object({{"c", text("d")}})})}};
  CHECK_FALSE(validate_texts_of({}));
  CHECK_FALSE(validate_texts_of(fine));
  const json_object wrong[] = {
      {{"a", text(with)}},
      {{with, text("b")}},
      {{with, null()}},
      {{"a", null()}, {"b", text(with)}},
      {{"a", array({null(), text(with)})}},
      {{"a", array({object({{with, number("1")}})})}},
      {{"a", object({{"b", object({{"c", array({array({text(with)})})}})}})}},
  };
  for (const json_object& each : wrong) {
    CAPTURE(json_of({each}));
    CHECK(validate_texts_of(each) == "must not contain the character U+0000 in a text or a name");
    order_content content = contract_content();
    content.attributes = each;
    CHECK(violations_of(content) ==
          std::vector<violation>{{"/attributes", "must not contain the character U+0000 in a text or a name"}});
  }
}

TEST_CASE("a currency is three capital letters") {
  for (const std::string_view fine : {"EUR", "USD", "AAA", "ZZZ"}) CHECK_FALSE(validate_currency(fine));
  for (const std::string_view wrong : {"", "E", "EU", "EURO", "eur", "EUr", "E1R", "EU ", "@UR", "[UR", "\xC3\x84R"}) {
    CAPTURE(wrong);
    CHECK(validate_currency(wrong) == "must be three capital letters, such as EUR");
  }
}

TEST_CASE("a quantity is 1 to 1000000") {
  for (const std::int64_t fine : {1, 2, 999'999, 1'000'000}) CHECK_FALSE(validate_quantity(fine));
  using extremes = std::numeric_limits<std::int64_t>;
  for (const std::int64_t wrong : {extremes::min(), std::int64_t{-1}, std::int64_t{0}, std::int64_t{1'000'001},
                                   (std::int64_t{1} << 32) + 1, extremes::max()}) {
    CAPTURE(wrong);
    CHECK(validate_quantity(wrong) == "must be an integer from 1 to 1000000");
  }
}

TEST_CASE("a unit price is 0 to 10^12 minor units") {
  for (const std::int64_t fine :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{999'999'999'999}, std::int64_t{1'000'000'000'000}}) {
    CHECK_FALSE(validate_unit_price(fine));
  }
  using extremes = std::numeric_limits<std::int64_t>;
  for (const std::int64_t wrong :
       {extremes::min(), std::int64_t{-1}, std::int64_t{1'000'000'000'001}, extremes::max()}) {
    CAPTURE(wrong);
    CHECK(validate_unit_price(wrong) == "must be an integer of minor units from 0 to 1000000000000");
  }
}

TEST_CASE("an order has 1 to 500 items") {
  for (const std::size_t fine : {1u, 2u, 499u, 500u}) CHECK_FALSE(validate_item_count(fine));
  for (const std::size_t wrong : {0u, 501u, 1'000'000u})
    CHECK(validate_item_count(wrong) == "must have 1 to 500 items");
}

TEST_CASE("a total is at most 2^53 - 1 minor units") {
  // 9007 * 10^12, and what is left up to 2^53 - 1
  std::vector<order_item> items{{"A", 9'007, cents(1'000'000'000'000)}, {"B", 1, cents(199'254'740'990)}};
  CHECK_FALSE(validate_total(items));
  items[1].unit_price = cents(199'254'740'991);
  CHECK_FALSE(validate_total(items));
  items[1].unit_price = cents(199'254'740'992);
  CHECK(validate_total(items) == "the total of the items must not exceed 9007199254740991 minor units");
}

TEST_CASE("attributes take at most 16384 bytes of compact JSON") {
  CHECK_FALSE(validate_attributes({}));
  CHECK_FALSE(validate_attributes(attributes_of_bytes(16'383)));
  CHECK_FALSE(validate_attributes(attributes_of_bytes(16'384)));
  CHECK(validate_attributes(attributes_of_bytes(16'385)) == "must not exceed 16384 bytes as compact JSON");
}

TEST_CASE("attributes are at most 63 levels deep, so that a body that holds them is at most 64") {
  CHECK_FALSE(validate_attributes(nested(61)));
  CHECK_FALSE(validate_attributes(nested(62)));
  CHECK(validate_attributes(nested(63)) == "must not be nested deeper than 63 levels");
}

TEST_CASE("a content within all rules has no violations") {
  CHECK(violations_of(contract_content()).empty());
  order_content least = contract_content();
  least.items = {{"x", 1, cents(0)}};
  least.attributes.reset();
  CHECK(violations_of(least).empty());
}

TEST_CASE("all that is wrong with a content is listed in the order of its members") {
  order_content content;
  content.currency = {'e', 'u', 'r'};
  content.items = {
      {"fine", 1, cents(1)}, {"", 0, cents(1'000'000'000'001)}, {repeated(one_byte, 65), 1'000'001, cents(0)}};
  content.attributes = attributes_of_bytes(20'000);
  CHECK(violations_of(content) ==
        std::vector<violation>{
            {"/customer_id", "must have 1 to 128 characters"},
            {"/currency", "must be three capital letters, such as EUR"},
            {"/items/1/sku", "must have 1 to 64 characters"},
            {"/items/1/quantity", "must be an integer from 1 to 1000000"},
            {"/items/1/unit_price", "must be an integer of minor units from 0 to 1000000000000"},
            {"/items/2/sku", "must have 1 to 64 characters"},
            {"/items/2/quantity", "must be an integer from 1 to 1000000"},
            {"/attributes", "must not exceed 16384 bytes as compact JSON"},
        });
}

TEST_CASE("too few items, too many, and a total that is too high are said of the items") {
  order_content content = contract_content();
  content.items.clear();
  CHECK(violations_of(content) == std::vector<violation>{{"/items", "must have 1 to 500 items"}});
  content.items.assign(501, {"A", 1, cents(1)});
  CHECK(violations_of(content) == std::vector<violation>{{"/items", "must have 1 to 500 items"}});
  CHECK(violations_of(content_of_too_high_total()) ==
        std::vector<violation>{{"/items", "the total of the items must not exceed 9007199254740991 minor units"}});
}

}  // namespace
}  // namespace ordem
