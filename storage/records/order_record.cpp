// clang-format off
//   order      | 2 | status 1 | version v | created ms v | updated - created v | total v | origin | content |    see fields.cpp
//              | 1 | the same without origin |
// clang-format on

#include "storage/records/order_record.hpp"

#include <utility>

#include "storage/records/fields.hpp"

namespace ordem::storage {

void encode_order(std::string& out, const order& what) {
  byte_writer to{out};
  to.put_byte(record_format);
  to.put_byte(static_cast<std::uint8_t>(what.status));
  to.put_varint(what.version.number);
  to.put_varint(milliseconds_of(what.created_at));
  to.put_varint(milliseconds_of(what.updated_at) - milliseconds_of(what.created_at));
  to.put_varint(static_cast<std::uint64_t>(what.total.minor_units()));
  put_origin(to, what.origin);
  put_content(to, what.content);
}

std::optional<order> decode_order(order_id id, std::string_view record) {
  byte_reader from{record};
  order what;
  what.id = id;
  const bool has_origin = get_format(from) >= format_with_origin;
  what.status = get_status(from);
  what.version = {from.get_varint()};
  what.created_at = get_timestamp(from);
  what.updated_at = get_timestamp(from, what.created_at);
  what.total = get_money(from);
  if (has_origin) what.origin = get_origin(from);
  what.content = get_content(from);
  return checked(from, std::move(what));
}

}  // namespace ordem::storage
