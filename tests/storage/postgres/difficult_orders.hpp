// Valid orders and changes of them whose texts and numbers are difficult in JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/engine/orders.hpp"
#include "tests/support_cpp/random_orders.hpp"

namespace ordem::testing {

class difficult_orders final : public random_orders {
 public:
  explicit difficult_orders(std::uint64_t seed) : random_orders(seed, {1, 4, 3, 3, 4}) {}

  // One change in five expects a version that the order does not have, and not every status may follow.
  message change_of(const order& current) {
    const version expected_version = one_in(5) ? version{current.version.number + 1 + below(9)} : current.version;
    return {guid_of("change"), {}, current.id, ordem::expected_version{expected_version, chance()}, change()};
  }

  std::string customer() override { return "n" + text(30); }
  currency_code currency() override { return chance() ? currency_code{'E', 'U', 'R'} : currency_code{'X', 'A', 'G'}; }

 private:
  order_item item() override {
    const bool many = chance();
    return {customer(), static_cast<std::uint32_t>(1 + below(many ? 1'000'000 : 1'000)),
            cents(static_cast<std::int64_t>(below(many ? 1'000'000'000 : 1'000'000'000'001)))};
  }

  std::string member_name() override { return text(6); }
  std::string text_value() override { return text(20); }

  // In the form in which the server keeps numbers.
  json_number number_value() override {
    static const std::vector<std::string> some = {
        "0",        "-1",  "9007199254740991", "-9007199254740991",       "1e+20",   "-1e+20", "1e+300", "5e-324",
        "-1.5e-07", "0.1", "123456789.125",    "1.7976931348623157e+308", "2.5e+21", "-12.5",  "1e-07"};
    if (chance()) return {one_of(some)};
    return {std::to_string(static_cast<std::int64_t>(up_to(~std::uint64_t{0} >> 11)) * (chance() ? 1 : -1))};
  }

  // Fewer characters than the bound.
  std::string text(std::uint64_t characters_bound) {
    static const std::vector<std::string> pieces = {"\"",
                                                    "\\",
                                                    "\\\"",
                                                    "0",
                                                    "1",
                                                    "9",
                                                    "-",
                                                    "+",
                                                    ".",
                                                    "e",
                                                    "E",
                                                    "{",
                                                    "}",
                                                    "[",
                                                    "]",
                                                    ":",
                                                    ",",
                                                    " ",
                                                    "/",
                                                    "\n",
                                                    "\t",
                                                    "\b",
                                                    "a",
                                                    "u",
                                                    "\x01",
                                                    "\x1f",
                                                    "\x7f",
                                                    "\xC3\xA4",
                                                    "\xE2\x82\xAC",
                                                    "\xE2\x80\xA8",
                                                    "\xF0\x9F\x98\x80"};
    std::string made;
    for (auto count = below(characters_bound); count > 0; --count) made += one_of(pieces);
    return made;
  }
};

}  // namespace ordem::testing
