// Orders with their JSON.
#pragma once

#include <string>
#include <string_view>

#include "tests/engine/orders.hpp"

namespace ordem::testing {

inline constexpr timestamp later = sample_time + std::chrono::seconds{5};

inline constexpr std::string_view contract_order_json =
    R"({"order_id":"0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f","version":1,"status":"new",)"
    R"("customer_id":"c-1001","currency":"EUR","items":[{"sku":"A-1","quantity":2,"unit_price":1999}],)"
    R"("total":3998,"attributes":{"channel":"web"},)"
    R"("created_at":"2026-11-22T10:15:30.123Z","updated_at":"2026-11-22T10:15:30.123Z"})";

// Returns the order at version 4, shipped some time after its creation.
inline order shipped_order() {
  order made = contract_order(order_status::shipped, {4});
  made.content.attributes.reset();
  made.updated_at = later;
  return made;
}

inline std::string shipped_order_json() {
  return R"({"order_id":"0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f","version":4,"status":"shipped",)"
         R"("customer_id":"c-1001","currency":"EUR","items":[{"sku":"A-1","quantity":2,"unit_price":1999}],)"
         R"("total":3998,"created_at":"2026-11-22T10:15:30.123Z","updated_at":"2026-11-22T10:15:35.123Z"})";
}

}  // namespace ordem::testing
