// Fixed-width numbers are big-endian, so that keys sort by number. "Inverted" means all bits flipped: newest first.
//
//   orders     | order id 16 |                              the current version
//   versions   | order id 16 | inverted version 8 |         each superseded version
//   messages   | tenant length 1 (0: there is one tenant) | GUID 1..255 |
//   captures   | tenant length 1 (0: there is one tenant) | key 1..1024 |
//   log        | position of the group's first entry 8 |
//   customers  | length of customer id 2 | customer id | inverted order id 16 |      no value

#include "storage/records/keys.hpp"

#include "storage/records/bytes.hpp"
#include "storage/records/fields.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint8_t only_tenant = 0;

}  // namespace

void encode_order_key(std::string& out, order_id id) {
  byte_writer{out}.put_bytes(id.bytes);
}

void encode_version_key(std::string& out, order_id id, version which) {
  byte_writer to{out};
  to.put_bytes(id.bytes);
  to.put_big_endian(~which.number);
}

void encode_message_key(std::string& out, const guid& id) {
  byte_writer{out}.put_byte(only_tenant);
  out += id.view();
}

void encode_capture_key(std::string& out, const capture_key& key) {
  byte_writer{out}.put_byte(only_tenant);
  out += key.view();
}

void encode_log_key(std::string& out, position first) {
  byte_writer{out}.put_big_endian(first.number);
}

void encode_customer_prefix(std::string& out, std::string_view customer_id) {
  byte_writer{out}.put_big_endian(customer_id.size(), 2);
  out += customer_id;
}

void encode_customer_key(std::string& out, std::string_view customer_id, order_id id) {
  encode_customer_prefix(out, customer_id);
  for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>(~byte);
  byte_writer{out}.put_bytes(id.bytes);
}

std::optional<order_id> decode_order_key(std::string_view key) {
  byte_reader from{key};
  const order_id id = get_order_id(from);
  return checked(from, order_id{id});
}

std::optional<guid> decode_message_key(std::string_view key) {
  byte_reader from{key};
  if (from.get_byte() != only_tenant) return std::nullopt;
  return guid::parse(from.get_bytes(from.bytes_left()));
}

std::optional<capture_key> decode_capture_key(std::string_view key) {
  byte_reader from{key};
  if (from.get_byte() != only_tenant) return std::nullopt;
  return capture_key::parse(from.get_bytes(from.bytes_left()));
}

std::optional<position> decode_log_key(std::string_view key) {
  byte_reader from{key};
  const position first{from.get_big_endian()};
  return checked(from, position{first});
}

std::optional<order_id> decode_customer_key(std::string_view key) {
  byte_reader from{key};
  from.get_bytes(from.get_big_endian(2));
  order_id id = get_order_id(from);
  for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>(~byte);
  return checked(from, order_id{id});
}

}  // namespace ordem::storage
