// Parsing of the bodies of writes.
#pragma once

#include <string>
#include <string_view>

#include "engine/codec/write_body.hpp"
#include "tests/engine/orders.hpp"

namespace ordem::testing {

inline constexpr std::string_view contract_json =
    R"({"customer_id":"c-1001","currency":"EUR","items":[{"sku":"A-1","quantity":2,"unit_price":1999}],)"
    R"("attributes":{"channel":"web"}})";

// Returns the contract's content with these attributes, as JSON.
inline std::string json_with_attributes(std::string_view attributes) {
  return R"({"customer_id":"c","currency":"EUR","items":[{"sku":"A","quantity":1,"unit_price":1}],"attributes":)" +
         std::string(attributes) + '}';
}

inline auto read_body(codec::write_kind kind, std::string_view json) {
  const simdjson::padded_string padded(json);
  simdjson::dom::parser parser;
  return codec::read_write_body(kind, padded, parser);
}

}  // namespace ordem::testing
