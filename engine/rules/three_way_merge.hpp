// Merges an update that was made against an older version of an order with what has changed since. Pure functions.
//
// An order content has these fields: customer_id, external_id, currency, each item by its sku, and each member of the
// attributes, at any depth of objects. An update and the changes since are disjoint if no field differs from the base
// in both. Then the result is the current content with the fields that the update changes. A field that both changed
// clashes, even if both gave it the same value, since either may count on having changed it.
//
// Items are told apart by sku only where each has one of its own and the items that two versions share have the same
// order in both; otherwise, and in any other array, the array is one field.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "engine/model/message.hpp"
#include "engine/model/order.hpp"

namespace ordem {

// A field that clashes. `pointer`: where (JSON Pointer, RFC 6901), at most limits::clash_pointer_bytes_max bytes; a
// field whose pointer is longer is named by the value around it. `sku`: the item, if the pointer is /items and it is
// not the array as a whole.
struct clash {
  std::string pointer;
  std::string sku = {};
  friend bool operator==(const clash&, const clash&) = default;
};

// The first limits::clashes_max clashes: customer_id, external_id, currency, items in the order of the base, then of
// the current version, then attributes by name. Not empty. The response to a repeated GUID has them again: do not
// change which these are.
using clashes = std::vector<clash>;

// Returns the content that `what` makes of `before`. REQUIRES: `what` is a replacement or a merge patch.
order_content content_after(const order_content& before, const command& what);

// Merges the update from `base` to `wanted` into `current`. The result may break the rules of a content, such as the
// highest total. An item that the update adds stands behind the item that it follows in `wanted`.
std::variant<order_content, clashes> three_way_merge(const order_content& base, const order_content& current,
                                                     const order_content& wanted);

}  // namespace ordem
