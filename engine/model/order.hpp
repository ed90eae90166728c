// An order, and the content that clients write.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/model/json_value.hpp"
#include "engine/model/money.hpp"
#include "engine/model/origin.hpp"
#include "engine/model/time.hpp"

namespace ordem {

// Kept on disk: do not renumber.
enum class order_status : std::uint8_t {
  fresh = 1,  // "new"
  confirmed = 2,
  shipped = 3,
  delivered = 4,
  cancelled = 5,
};

std::string_view to_string(order_status status) noexcept;
std::optional<order_status> parse_order_status(std::string_view text) noexcept;

// Returns whether the transition is allowed: new -> confirmed -> shipped -> delivered, and new|confirmed -> cancelled.
bool may_become(order_status from, order_status to) noexcept;
// Returns whether the content can still change: the order is new or confirmed.
bool is_open(order_status status) noexcept;

// Three capital letters, as in ISO 4217.
using currency_code = std::array<char, 3>;

struct order_item {
  std::string sku;
  std::uint32_t quantity = 0;
  money unit_price;
  friend bool operator==(const order_item&, const order_item&) = default;
};

struct order_content {
  std::string customer_id;
  currency_code currency{};
  std::vector<order_item> items;
  std::optional<json_object> attributes;
  // The client's own name for the order. Several orders may have the same.
  std::optional<std::string> external_id = {};
  friend bool operator==(const order_content&, const order_content&) = default;
};

// Returns the sum of quantity times unit price, or nullopt if it exceeds 2^53 - 1 minor units.
std::optional<money> total_of(const std::vector<order_item>& items) noexcept;

struct order {
  order_id id;
  ordem::version version;
  order_status status = order_status::fresh;
  order_content content;
  money total;
  timestamp created_at;
  timestamp updated_at;
  ordem::origin origin = {};  // the order's tenant, and who wrote this version
  // Of a version that merges an update into a newer version: the version that the client had. The other one is the
  // version before this.
  std::optional<ordem::version> merged_from = {};
  friend bool operator==(const order&, const order&) = default;
};

using shared_order = std::shared_ptr<const order>;

}  // namespace ordem
