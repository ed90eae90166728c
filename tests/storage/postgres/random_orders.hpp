// Random orders and changes that the server accepts, with unusual texts and numbers.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/engine/orders.hpp"

namespace ordem::testing {

class random_orders {
 public:
  explicit random_orders(std::uint64_t seed) : random_(seed) {}

  order_content content() {
    order_content made{name(), currency(), items(), std::nullopt};
    if (chance()) made.attributes = object_of(0);
    return made;
  }

  // Sometimes with a wrong expected version or a status that is not allowed.
  message change_of(const order& current) {
    const version expected_version = below(5) == 0 ? version{current.version.number + 1 + below(9)} : current.version;
    message change{
        guid_of("change"), {}, current.id, ordem::expected_version{expected_version, chance()}, any_change()};
    return change;
  }

 private:
  std::uint64_t below(std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random_);
  }
  bool chance() { return below(2) == 1; }

  std::string text(std::uint64_t characters) {
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
    while (characters-- > 0) made += pieces[below(pieces.size())];
    return made;
  }
  std::string name() { return "n" + text(below(30)); }
  currency_code currency() { return chance() ? currency_code{'E', 'U', 'R'} : currency_code{'X', 'A', 'G'}; }

  std::vector<order_item> items() {
    std::vector<order_item> made(1 + below(4));
    for (order_item& each : made) {
      const bool many = chance();
      each = {name(), static_cast<std::uint32_t>(1 + below(many ? 1'000'000 : 1'000)),
              cents(static_cast<std::int64_t>(below(many ? 1'000'000'000 : 1'000'000'000'001)))};
    }
    return made;
  }

  // In the form that the server keeps.
  json_value number_of() {
    static const std::vector<std::string> some = {
        "0",        "-1",  "9007199254740991", "-9007199254740991",       "1e+20",   "-1e+20", "1e+300", "5e-324",
        "-1.5e-07", "0.1", "123456789.125",    "1.7976931348623157e+308", "2.5e+21", "-12.5",  "1e-07"};
    if (chance()) return number(some[below(some.size())]);
    return number(std::to_string(static_cast<std::int64_t>(random_() >> 11) * (chance() ? 1 : -1)));
  }

  json_object object_of(unsigned depth) {
    std::map<std::string, json_value> members;
    for (auto count = below(4); count > 0; --count) members[text(below(6))] = value_of(depth + 1);
    return {members.begin(), members.end()};
  }

  json_value value_of(unsigned depth) {
    switch (below(depth < 4 ? 6 : 4)) {
      case 0: return null();
      case 1: return {chance()};
      case 2: return number_of();
      case 3: return {text(below(20))};
      case 4: {
        json_array made(below(4));
        for (auto& each : made) each = value_of(depth + 1);
        return array(std::move(made));
      }
      default: return object(object_of(depth));
    }
  }

  command any_change() {
    switch (below(3)) {
      case 0: return replace_content{content()};
      case 1: return merge();
      default: return change_status{every_status[below(std::size(every_status))]};
    }
  }

  merge_content merge() {
    merge_content made;
    if (chance()) made.customer_id = name();
    if (chance()) made.currency = currency();
    if (chance()) made.items = items();
    switch (below(3)) {
      case 0: break;
      case 1: made.attributes = merge_content::remove_attributes{}; break;
      default: made.attributes = object_of(0);
    }
    return made;
  }

  std::mt19937_64 random_;
};

}  // namespace ordem::testing
