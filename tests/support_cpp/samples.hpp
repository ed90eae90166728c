// Orders and messages to test with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/model/message.hpp"
#include "engine/model/order.hpp"
#include "tests/support_cpp/manual_clock.hpp"

namespace ordem::testing {

inline guid guid_of(std::string_view text) {
  return guid::parse(text).value();
}
inline const guid some_guid = guid_of("k-1");

inline guid guid_of(std::uint64_t number) {
  return guid_of("guid-" + std::to_string(number));
}

// A larger number sorts later.
inline order_id order_id_of(std::uint64_t number) {
  order_id id{{0x01, 0x90, 0xB3, 0xF2, 0x9F, 0x6C, 0x70, 0x00, 0x80, 0x00}};
  for (unsigned i = 0; i < 6; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}

inline order_content content_of(std::string customer_id = "c-1001", std::uint32_t quantity = 2) {
  order_content content;
  content.customer_id = std::move(customer_id);
  content.currency = {'E', 'U', 'R'};
  content.items = {{"A-1", quantity, money::of_minor_units(1999).value()}};
  return content;
}

inline order sample_order(std::uint64_t number = 1, version which = {1}) {
  order made;
  made.id = order_id_of(number);
  made.version = which;
  made.content = content_of();
  made.total = total_of(made.content.items).value();
  made.created_at = sample_time;
  made.updated_at = sample_time;
  return made;
}

inline shared_order shared(order what) {
  return std::make_shared<const order>(std::move(what));
}

// Equal commands under different GUIDs may share a fingerprint; `asks` tells requests apart under one GUID.
inline message creation(guid id, order_content content = content_of(), std::uint64_t asks = 1) {
  return {std::move(id), {asks, 0}, std::nullopt, std::nullopt, create_order{std::move(content)}};
}

inline message replacement(guid id, order_id target, version expected_version, order_content content = content_of(),
                           std::uint64_t asks = 1) {
  return {std::move(id),
          {asks, 0},
          target,
          ordem::expected_version{expected_version, false},
          replace_content{std::move(content)}};
}

inline message patch(guid id, order_id target, version expected_version, merge_content change, std::uint64_t asks = 1) {
  return {std::move(id), {asks, 0}, target, ordem::expected_version{expected_version, false}, std::move(change)};
}

inline message status_move(guid id, order_id target, version expected_version, order_status to,
                           std::uint64_t asks = 1) {
  return {std::move(id), {asks, 0}, target, ordem::expected_version{expected_version, false}, change_status{to}};
}

}  // namespace ordem::testing
