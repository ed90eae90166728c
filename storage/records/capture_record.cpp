// clang-format off
//   capture    | 2 | expires ms v | allocated ms v | origin | lease ends ms v | has response 1 | response |
//              | (for ever: timestamp::max())
//              | 1 | the same without origin |
//   response   | status v | body s | headers v, each: key s, is a list 1, value s or values v, each s |
// clang-format on

#include "storage/records/capture_record.hpp"

#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/limits.hpp"
#include "storage/records/fields.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint8_t capture_format = format_with_origin;

constexpr timestamp for_ever = timestamp::max();

void put_response(byte_writer& to, const captured_response& response) {
  to.put_varint(response.status);
  to.put_string(response.body);
  to.put_varint(response.headers.size());
  for (const captured_header& header : response.headers) {
    to.put_string(header.key);
    const auto* list = std::get_if<std::vector<std::string>>(&header.value);
    to.put_byte(list != nullptr ? 1 : 0);
    if (list == nullptr) {
      to.put_string(std::get<std::string>(header.value));
      continue;
    }
    to.put_varint(list->size());
    for (const std::string& value : *list) to.put_string(value);
  }
}

std::optional<timestamp> get_optional_timestamp(byte_reader& from) {
  const timestamp at = get_timestamp(from);
  return at == for_ever ? std::nullopt : std::optional(at);
}

captured_response get_response(byte_reader& from) {
  captured_response response;
  const std::uint64_t status = from.get_varint();
  if (status < limits::captured_status_min || status > limits::captured_status_max) from.fail();
  response.status = static_cast<std::uint16_t>(status);
  response.body = from.get_string();
  response.headers.resize(get_count(from));
  for (captured_header& header : response.headers) {
    header.key = from.get_string();
    if (from.get_byte() == 0) {
      header.value = std::string(from.get_string());
    } else {
      std::vector<std::string> values(get_count(from));
      for (std::string& value : values) value = from.get_string();
      header.value = std::move(values);
    }
  }
  return response;
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
  if (what.response) put_response(to, *what.response);
}

std::optional<capture> decode_capture(std::string_view record) {
  byte_reader from{record};
  capture what;
  const bool has_origin = get_format(from, capture_format) >= format_with_origin;
  what.expires_at = get_optional_timestamp(from);
  what.allocated_at = get_timestamp(from);
  if (has_origin) what.origin = get_origin(from);
  what.lease_ends_at = get_optional_timestamp(from);
  if (from.get_byte() != 0) what.response = std::make_shared<const captured_response>(get_response(from));
  return checked(from, std::move(what));
}

}  // namespace ordem::storage
