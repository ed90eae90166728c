// Fixed-width numbers are big-endian, so that keys sort by number. "Inverted" means all bits flipped: newest first.
//
//   orders     | order id 16 |                              the current version
//   versions   | order id 16 | inverted version 8 |         each superseded version
//   messages   | tenant length 1 | tenant | GUID 1..255 |
//   captures   | tenant length 1 | tenant | key 1..1024 |
//   log        | position of the group's first entry 8 |
//   customers  | length of customer id 2 | customer id | inverted order id 16 |      no value; of the empty tenant
//              | 0x8000 + tenant length 2 | tenant | the same |                      of any other
//
// The longest customer id has 512 bytes, so its length is never taken for that of a tenant.

#include "storage/records/keys.hpp"

#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/limits.hpp"
#include "storage/records/bytes.hpp"
#include "storage/records/fields.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint64_t tenant_flag = 0x8000;
constexpr std::size_t customer_id_bytes_max = 4 * limits::customer_id_characters_max;
static_assert(customer_id_bytes_max < tenant_flag);

void put_tenant(byte_writer& to, std::string_view tenant) {
  CHECK(tenant.size() <= limits::tenant_bytes_max);
  to.put_byte(static_cast<std::uint8_t>(tenant.size()));
  to.put_text(tenant);
}

}  // namespace

void encode_order_key(std::string& out, order_id id) {
  byte_writer{out}.put_bytes(id.bytes);
}

void encode_version_key(std::string& out, order_id id, version which) {
  byte_writer to{out};
  to.put_bytes(id.bytes);
  to.put_big_endian(~which.number);
}

void encode_message_key(std::string& out, std::string_view tenant, const guid& id) {
  byte_writer to{out};
  put_tenant(to, tenant);
  to.put_text(id.view());
}

void encode_capture_key(std::string& out, std::string_view tenant, const capture_key& key) {
  byte_writer to{out};
  put_tenant(to, tenant);
  to.put_text(key.view());
}

void encode_log_key(std::string& out, position first) {
  byte_writer{out}.put_big_endian(first.number);
}

void encode_customer_prefix(std::string& out, std::string_view tenant, std::string_view customer_id) {
  CHECK(tenant.size() <= limits::tenant_bytes_max);
  byte_writer to{out};
  if (!tenant.empty()) {
    to.put_big_endian(tenant_flag + tenant.size(), 2);
    to.put_text(tenant);
  }
  to.put_big_endian(customer_id.size(), 2);
  to.put_text(customer_id);
}

void encode_customer_key(std::string& out, std::string_view tenant, std::string_view customer_id, order_id id) {
  encode_customer_prefix(out, tenant, customer_id);
  for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>(~byte);
  byte_writer{out}.put_bytes(id.bytes);
}

std::optional<order_id> decode_order_key(std::string_view key) {
  byte_reader from{key};
  const order_id id = get_order_id(from);
  return checked(from, order_id{id});
}

std::optional<message_key> decode_message_key(std::string_view key) {
  byte_reader from{key};
  const std::string_view tenant = from.get_bytes(from.get_byte());
  auto id = guid::parse(from.get_bytes(from.bytes_left()));
  if (!id) return std::nullopt;
  return message_key{std::string(tenant), std::move(*id)};
}

std::optional<tenant_capture_key> decode_capture_key(std::string_view key) {
  byte_reader from{key};
  const std::string_view tenant = from.get_bytes(from.get_byte());
  auto name = capture_key::parse(from.get_bytes(from.bytes_left()));
  if (!name) return std::nullopt;
  return tenant_capture_key{std::string(tenant), std::move(*name)};
}

std::optional<position> decode_log_key(std::string_view key) {
  byte_reader from{key};
  const position first{from.get_big_endian()};
  return checked(from, position{first});
}

std::optional<customer_key> decode_customer_key(std::string_view key) {
  byte_reader from{key};
  customer_key what;
  std::uint64_t length = from.get_big_endian(2);
  if (length >= tenant_flag) {
    length -= tenant_flag;
    if (length == 0 || length > limits::tenant_bytes_max) from.fail();
    what.tenant = from.get_bytes(length);
    length = from.get_big_endian(2);
  }
  if (length > customer_id_bytes_max) from.fail();
  what.customer_id = from.get_bytes(length);
  what.id = get_order_id(from);
  for (std::uint8_t& byte : what.id.bytes) byte = static_cast<std::uint8_t>(~byte);
  return checked(from, customer_key{what});
}

}  // namespace ordem::storage
