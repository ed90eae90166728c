// clang-format off
//   capture    | 2 | expires ms v | allocated ms v | origin | lease ends ms v | has response 1 | response |
//              | (for ever: timestamp::max())
//              | 1 | the same without origin |
//   response   | see fields.cpp |
// clang-format on

#include "storage/records/capture_record.hpp"

#include <memory>
#include <utility>

#include "storage/records/fields.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint8_t capture_format = format_with_origin;

constexpr timestamp for_ever = timestamp::max();

std::optional<timestamp> get_optional_timestamp(byte_reader& from) {
  const timestamp at = get_timestamp(from);
  return at == for_ever ? std::nullopt : std::optional(at);
}

}  // namespace

void encode_capture(std::string& out, const capture& what) {
  byte_writer to{out};
  to.put_byte(capture_format);
  to.put_varint(milliseconds_of(what.expires_at.value_or(for_ever)));
  to.put_varint(milliseconds_of(what.allocated_at));
  put_origin(to, what.origin);
  to.put_varint(milliseconds_of(what.lease_ends_at.value_or(for_ever)));
  to.put_byte(what.response ? 1 : 0);
  if (what.response) put_captured_response(to, *what.response);
}

std::optional<capture> decode_capture(std::string_view record) {
  byte_reader from{record};
  capture what;
  const bool has_origin = get_format(from, capture_format) >= format_with_origin;
  what.expires_at = get_optional_timestamp(from);
  what.allocated_at = get_timestamp(from);
  if (has_origin) what.origin = get_origin(from);
  what.lease_ends_at = get_optional_timestamp(from);
  if (from.get_byte() != 0) what.response = std::make_shared<const captured_response>(get_captured_response(from));
  return checked(from, std::move(what));
}

}  // namespace ordem::storage
