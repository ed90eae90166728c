// clang-format off
//   order      | 3 | status 1 | version v | created ms v | updated - created v | total v | merged from v (0: none) | origin
//              | content |    see fields.cpp
//              | 2 | the same without merged from |
//              | 1 | the same without origin either |
// clang-format on

#include "storage/records/order_record.hpp"

#include <utility>

#include "storage/records/fields.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint8_t order_format = format_with_external_id;

}  // namespace

void encode_order(std::string& out, const order& what) {
  byte_writer to{out};
  to.put_byte(order_format);
  to.put_byte(static_cast<std::uint8_t>(what.status));
  to.put_varint(what.version.number);
  to.put_varint(milliseconds_of(what.created_at));
  to.put_varint(milliseconds_of(what.updated_at) - milliseconds_of(what.created_at));
  to.put_varint(static_cast<std::uint64_t>(what.total.minor_units()));
  to.put_varint(what.merged_from ? what.merged_from->number : 0);
  put_origin(to, what.origin);
  put_content(to, what.content);
}

std::optional<order> decode_order(order_id id, std::string_view record) {
  byte_reader from{record};
  order what;
  what.id = id;
  const std::uint8_t format = get_format(from, order_format);
  what.status = get_status(from);
  what.version = {from.get_varint()};
  what.created_at = get_timestamp(from);
  what.updated_at = get_timestamp(from, what.created_at);
  what.total = get_money(from);
  if (format >= format_with_external_id) {
    if (const std::uint64_t number = from.get_varint(); number != 0) what.merged_from = version{number};
  }
  if (format >= format_with_origin) what.origin = get_origin(from);
  what.content = get_content(from, format);
  return checked(from, std::move(what));
}

}  // namespace ordem::storage
