// The order that the HTTP contract shows, messages about it, and JSON values written short. Adds to
// tests/support_cpp/samples.hpp.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model/message.hpp"
#include "engine/model/order.hpp"
#include "engine/rules/validate.hpp"
#include "tests/support_cpp/samples.hpp"

namespace ordem {

// How failing tests show them.
inline std::ostream& operator<<(std::ostream& out, version which) {
  return out << "version " << which.number;
}
inline std::ostream& operator<<(std::ostream& out, const order_id& id) {
  return out << id.to_string();
}
inline std::ostream& operator<<(std::ostream& out, const guid& id) {
  return out << id.view();
}
inline std::ostream& operator<<(std::ostream& out, const violation& what) {
  return out << what.pointer << ": " << what.detail;
}

}  // namespace ordem

namespace ordem::testing {

inline constexpr order_status every_status[] = {order_status::fresh, order_status::confirmed, order_status::shipped,
                                                order_status::delivered, order_status::cancelled};

inline money cents(std::int64_t amount) {
  return money::of_minor_units(amount).value();
}

// --- JSON ---

inline json_value null() {
  return {nullptr};
}
inline json_value text(std::string value) {
  return {std::move(value)};
}
inline json_value number(std::string digits) {
  return {json_number{std::move(digits)}};
}
inline json_value array(json_array elements) {
  return {std::move(elements)};
}
// Its members in ascending order of their names.
inline json_value object(json_object members) {
  return {std::move(members)};
}

inline std::string json_of(const json_value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

// --- the order of the HTTP contract ---

inline constexpr std::string_view contract_id_text = "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f";

inline order_id contract_id() {
  return order_id::parse(contract_id_text).value();
}

inline order_content contract_content() {
  order_content content = content_of();
  content.attributes = json_object{{"channel", text("web")}};
  return content;
}

inline order contract_order(order_status status = order_status::fresh, version at = {1}) {
  return {contract_id(), at, status, contract_content(), cents(3998), sample_time, sample_time};
}

// Every member of it is fine by itself, but the total is beyond every bound.
inline order_content content_of_too_high_total() {
  order_content content = contract_content();
  content.items = {{"A-1", 1'000'000, cents(1'000'000'000'000)}};
  return content;
}

inline message change_message(command what, ordem::expected_version expected_version, order_id target = contract_id()) {
  return {guid_of("change"), {}, target, expected_version, std::move(what)};
}

}  // namespace ordem::testing
