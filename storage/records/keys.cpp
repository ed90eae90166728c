// Fixed-width numbers are big-endian, so that keys sort by number. "Inverted" means all bits flipped: newest first.
//
//   orders     | order id 16 |                              the current version
//   versions   | order id 16 | inverted version 8 |         each superseded version
//   messages   | tenant length 1 | tenant | GUID 1..255 |
//   captures   | tenant length 1 | tenant | key 1..1024 |
//   log        | position of the group's first entry 8 |
//   customers  | length of customer id 2 | customer id | inverted order id 16 |      no value; of the empty tenant
//              | 0x8000 + tenant length 2 | tenant | the same |                      of any other
//              | 0x4000 + length of external id 2 | external id | inverted order id 16 |      as customers, with or
//              without
//                                                                                              a tenant before it
//
// The longest customer id and external id have 512 bytes, so no length is taken for another one.

#include "storage/records/keys.hpp"

#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/limits.hpp"
#include "storage/records/bytes.hpp"
#include "storage/records/fields.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint64_t tenant_flag = 0x8000;
constexpr std::uint64_t external_id_flag = 0x4000;
constexpr std::size_t customer_id_bytes_max = 4 * limits::customer_id_characters_max;
constexpr std::size_t external_id_bytes_max = 4 * limits::external_id_characters_max;
static_assert(customer_id_bytes_max < external_id_flag && external_id_bytes_max < external_id_flag);

// The parts of a key of the family customers.
struct list_key {
  std::string_view tenant;
  bool is_external = false;
  std::string_view name;  // the customer id or the external id
  order_id id;
};

order_id inverted(order_id id) noexcept {
  for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>(~byte);
  return id;
}

void put_list_prefix(std::string& out, std::string_view tenant, std::uint64_t flag, std::string_view name) {
  ORDEM_CHECK(tenant.size() <= limits::tenant_bytes_max);
  byte_writer to{out};
  if (!tenant.empty()) {
    to.put_big_endian(tenant_flag + tenant.size(), 2);
    to.put_text(tenant);
  }
  to.put_big_endian(flag + name.size(), 2);
  to.put_text(name);
}

std::optional<list_key> decode_list_key(std::string_view key) {
  byte_reader from{key};
  list_key what;
  std::uint64_t length = from.get_big_endian(2);
  if (length >= tenant_flag) {
    length -= tenant_flag;
    if (length == 0 || length > limits::tenant_bytes_max) from.fail();
    what.tenant = from.get_bytes(length);
    length = from.get_big_endian(2);
  }
  what.is_external = length >= external_id_flag;
  if (what.is_external) length -= external_id_flag;
  if (length > (what.is_external ? external_id_bytes_max : customer_id_bytes_max)) from.fail();
  what.name = from.get_bytes(length);
  what.id = inverted(get_order_id(from));
  return checked(from, list_key{what});
}

void put_tenant(byte_writer& to, std::string_view tenant) {
  ORDEM_CHECK(tenant.size() <= limits::tenant_bytes_max);
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
  put_list_prefix(out, tenant, 0, customer_id);
}

void encode_customer_key(std::string& out, std::string_view tenant, std::string_view customer_id, order_id id) {
  encode_customer_prefix(out, tenant, customer_id);
  byte_writer{out}.put_bytes(inverted(id).bytes);
}

void encode_external_id_prefix(std::string& out, std::string_view tenant, std::string_view external_id) {
  put_list_prefix(out, tenant, external_id_flag, external_id);
}

void encode_external_id_key(std::string& out, std::string_view tenant, std::string_view external_id, order_id id) {
  encode_external_id_prefix(out, tenant, external_id);
  byte_writer{out}.put_bytes(inverted(id).bytes);
}

void encode_inverted_order_key(std::string& out, order_id id) {
  byte_writer{out}.put_bytes(inverted(id).bytes);
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

std::optional<order_id> decode_inverted_order_key(std::string_view key) {
  const auto id = decode_order_key(key);
  return id ? std::optional(inverted(*id)) : std::nullopt;
}

std::optional<customer_key> decode_customer_key(std::string_view key) {
  const auto found = decode_list_key(key);
  if (!found || found->is_external) return std::nullopt;
  return customer_key{found->tenant, found->name, found->id};
}

std::optional<external_id_key> decode_external_id_key(std::string_view key) {
  const auto found = decode_list_key(key);
  if (!found || !found->is_external) return std::nullopt;
  return external_id_key{found->tenant, found->name, found->id};
}

}  // namespace ordem::storage
