// Fields that several records have. A get_ function makes the reader fail if no put_ function can have written the
// bytes. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/capture.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/json_value.hpp"
#include "engine/model/message.hpp"
#include "engine/model/money.hpp"
#include "engine/model/order.hpp"
#include "engine/model/origin.hpp"
#include "engine/model/time.hpp"
#include "storage/records/bytes.hpp"

namespace ordem::storage {

// The first byte of the record of an order, a message or a capture. Format 1 had no origin, format 2 neither external
// ids nor merges; such records are read, and written in the present format when they change.
inline constexpr std::uint8_t format_with_origin = 2;
inline constexpr std::uint8_t format_with_external_id = 3;
// Returns the format. Fails if it is 0 or greater than the newest one of that kind of record.
std::uint8_t get_format(byte_reader& from, std::uint8_t newest);
// Fails if the first byte is not this one.
void check_format(byte_reader& from, std::uint8_t format);

std::uint64_t milliseconds_of(timestamp at);
// Reads a number of milliseconds after `since`. Fails if the result is beyond timestamp::max().
timestamp get_timestamp(byte_reader& from, timestamp since = {});

order_id get_order_id(byte_reader& from);
void put_origin(byte_writer& to, const origin& what);
origin get_origin(byte_reader& from);
order_status get_status(byte_reader& from);
// Returns nullopt for 0.
std::optional<order_status> get_optional_status(byte_reader& from);

// Fails for a count larger than the number of bytes left, so that a damaged record can't cause a large allocation.
std::size_t get_count(byte_reader& from);

void put_object(byte_writer& to, const json_object& object);
// `depth`: of the object in its document; fails beyond limits::json_depth_max.
json_object get_object(byte_reader& from, std::size_t depth);

void put_currency(byte_writer& to, currency_code currency);
currency_code get_currency(byte_reader& from);
money get_money(byte_reader& from);
void put_items(byte_writer& to, const std::vector<order_item>& items);
std::vector<order_item> get_items(byte_reader& from);
// put_content() writes the content of the newest format.
void put_content(byte_writer& to, const order_content& content);
order_content get_content(byte_reader& from, std::uint8_t format);

// As put_content().
void put_command(byte_writer& to, const command& what);
command get_command(byte_reader& from, std::uint8_t format);

void put_captured_response(byte_writer& to, const captured_response& what);
captured_response get_captured_response(byte_reader& from);

// Returns the value if the whole record was read and the reader did not fail, else nullopt.
template <class Value>
std::optional<Value> checked(const byte_reader& from, Value&& value) {
  if (!from.ok() || !from.at_end()) return std::nullopt;
  return std::forward<Value>(value);
}

}  // namespace ordem::storage
