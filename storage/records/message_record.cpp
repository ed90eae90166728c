// clang-format off
//   message    | 3 | expires ms v | created ms v | origin | fingerprint 16 | verdict 1 | order id 16 | version v | status 1
//              | requested status or 0: 1 | flags 1 (1: version expected, 2: by If-Match, 4: command kept, 8: merges)
//              | expected version v if flagged | command if flagged |
//              | 2 | the same without external ids |
//              | 1 | the same without origin either |
//   command    | see fields.cpp |
// clang-format on

#include "storage/records/message_record.hpp"

#include <utility>

#include "storage/records/fields.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint8_t message_format = format_with_external_id;

constexpr std::uint8_t flag_version_expected = 1;
constexpr std::uint8_t flag_by_if_match = 2;
constexpr std::uint8_t flag_command_kept = 4;
constexpr std::uint8_t flag_merges = 8;

verdict get_verdict(byte_reader& from) {
  const std::uint8_t number = from.get_byte();
  if (number < static_cast<std::uint8_t>(verdict::order_created) ||
      number > static_cast<std::uint8_t>(verdict::order_closed)) {
    from.fail();
    return verdict::order_created;
  }
  return static_cast<verdict>(number);
}

}  // namespace

void encode_message(std::string& out, const message_record& what) {
  const auto& expected = what.outcome.expected_version;
  const int flags = (expected ? flag_version_expected : 0) |
                    (expected && expected->by_if_match ? flag_by_if_match : 0) |
                    (what.command ? flag_command_kept : 0) | (expected && expected->merges ? flag_merges : 0);
  byte_writer to{out};
  to.put_byte(message_format);
  to.put_varint(milliseconds_of(what.expires_at));
  to.put_varint(milliseconds_of(what.created_at));
  put_origin(to, what.origin);
  to.put_big_endian(what.fingerprint.high);
  to.put_big_endian(what.fingerprint.low);
  to.put_byte(static_cast<std::uint8_t>(what.outcome.verdict));
  to.put_bytes(what.outcome.order.bytes);
  to.put_varint(what.outcome.version.number);
  to.put_byte(static_cast<std::uint8_t>(what.outcome.status));
  to.put_byte(what.outcome.requested_status ? static_cast<std::uint8_t>(*what.outcome.requested_status)
                                            : std::uint8_t{0});
  to.put_byte(static_cast<std::uint8_t>(flags));
  if (expected) to.put_varint(expected->version.number);
  if (what.command) put_command(to, *what.command);
}

std::optional<message_record> decode_message(std::string_view record) {
  byte_reader from{record};
  message_record what;
  const std::uint8_t format = get_format(from, message_format);
  what.expires_at = get_timestamp(from);
  what.created_at = get_timestamp(from);
  if (format >= format_with_origin) what.origin = get_origin(from);
  what.fingerprint.high = from.get_big_endian();
  what.fingerprint.low = from.get_big_endian();
  what.outcome.verdict = get_verdict(from);
  what.outcome.order = get_order_id(from);
  what.outcome.version = {from.get_varint()};
  what.outcome.status = get_status(from);
  what.outcome.requested_status = get_optional_status(from);
  const std::uint8_t flags = from.get_byte();
  if ((flags & flag_version_expected) != 0) {
    what.outcome.expected_version =
        ordem::expected_version{{from.get_varint()}, (flags & flag_by_if_match) != 0, (flags & flag_merges) != 0};
  }
  if ((flags & flag_command_kept) != 0) what.command = get_command(from, format);
  return checked(from, std::move(what));
}

}  // namespace ordem::storage
