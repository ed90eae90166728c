// Random orders and changes of them, drawn from a seed. The structure is drawn here; a subclass draws the values in it:
// few ones that collide, ones that JSON trips over, or any that fit their types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/message.hpp"
#include "engine/model/order.hpp"

namespace ordem::testing {

// Not thread-safe.
class random_source {
 public:
  explicit random_source(std::uint64_t seed) : bits_(seed) {}

  // Returns a number from 0 to most.
  std::uint64_t up_to(std::uint64_t most) { return std::uniform_int_distribution<std::uint64_t>(0, most)(bits_); }
  std::uint64_t below(std::uint64_t bound) { return up_to(bound - 1); }
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  bool chance() { return one_in(2); }

  // Returns a number up to most; small ones are as likely as large ones.
  std::uint64_t number_up_to(std::uint64_t most) { return up_to(most >> up_to(63)); }

  template <typename Container>
  const auto& one_of(const Container& choices) {
    return choices[below(std::size(choices))];
  }

 private:
  std::mt19937_64 bits_;
};

class random_orders : public random_source {
 public:
  order_content content() {
    order_content made{customer(), currency(), items(), std::nullopt};
    if (chance()) made.attributes = object(0);
    if (one_in(3)) made.external_id = external_id();
    return made;
  }

  merge_content patch() {
    merge_content made;
    if (chance()) made.customer_id = customer();
    if (chance()) made.currency = currency();
    if (chance()) made.items = items();
    switch (below(3)) {
      case 0: break;
      case 1: made.attributes = merge_content::remove_attributes{}; break;
      default: made.attributes = object(0);
    }
    switch (below(4)) {
      case 0: made.external_id = merge_content::remove_external_id{}; break;
      case 1: made.external_id = external_id(); break;
      default: break;
    }
    return made;
  }

  // A replacement, a merge or a move to any status.
  command change() {
    switch (below(3)) {
      case 0: return replace_content{content()};
      case 1: return patch();
      default: return change_status{status()};
    }
  }

  order_status status() { return static_cast<order_status>(1 + below(5)); }

  virtual std::string customer() = 0;
  virtual currency_code currency() = 0;
  virtual std::string external_id() { return "external-" + std::to_string(below(3)); }

 protected:
  struct bounds {
    std::uint64_t items_min;
    std::uint64_t items_max;
    std::uint64_t members_max;   // of an object
    std::uint64_t elements_max;  // of an array
    unsigned depth_max;          // of objects and arrays in the attributes
  };

  random_orders(std::uint64_t seed, const bounds& most) : random_source(seed), bounds_(most) {}
  ~random_orders() = default;

  virtual order_item item() = 0;
  virtual std::string member_name() = 0;
  virtual std::string text_value() = 0;
  virtual json_number number_value() = 0;

  std::vector<order_item> items() {
    std::vector<order_item> made(bounds_.items_min + up_to(bounds_.items_max - bounds_.items_min));
    for (order_item& each : made) each = item();
    return made;
  }

 private:
  json_object object(unsigned depth) {
    std::map<std::string, json_value> members;
    for (auto count = up_to(bounds_.members_max); count > 0; --count) members[member_name()] = value(depth + 1);
    return {members.begin(), members.end()};
  }

  json_value value(unsigned depth) {
    switch (below(depth < bounds_.depth_max ? 6 : 4)) {
      case 0: return {nullptr};
      case 1: return {chance()};
      case 2: return {number_value()};
      case 3: return {text_value()};
      case 4: {
        json_array made(up_to(bounds_.elements_max));
        for (auto& each : made) each = value(depth + 1);
        return {std::move(made)};
      }
      default: return {object(depth)};
    }
  }

  bounds bounds_;
};

}  // namespace ordem::testing
