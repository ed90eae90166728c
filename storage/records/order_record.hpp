// The record of an order. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/model/ids.hpp"
#include "engine/model/order.hpp"

namespace ordem::storage {

// Appends the record to `out`.
void encode_order(std::string& out, const order& what);
// Returns nullopt for bytes that encode_order() can't have written.
std::optional<order> decode_order(order_id id, std::string_view record);

}  // namespace ordem::storage
