#include "http-edge/captures/capture_body.hpp"

#include <memory>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/limits.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/capture_json.hpp"
#include "engine/codec/json_number.hpp"

namespace ordem::http_edge {
namespace {

namespace dom = simdjson::dom;

tl::unexpected<capture_body_error> fail(capture_body_error why) {
  return tl::make_unexpected(why);
}

// The members of a body, whose types have been checked.
struct raw_body {
  std::string key;  // empty if it is missing
  std::optional<captured_response> response;
};

// Invalid UTF-8 comes from servers that write headers in Latin-1. Rejecting it would leave their response unrecorded,
// and the request would be executed again; so it is converted.
simdjson::simdjson_result<dom::element> parse(std::string_view body, dom::parser& parser) {
  body = without_byte_order_mark(body);
  constexpr bool copy_for_padding = false;
  auto json = parser.parse(body.data(), body.size(), copy_for_padding);
  if (json.error() != simdjson::UTF8_ERROR) return json;
  return parser.parse(simdjson::padded_string(to_utf8(body)));
}

enum class members : std::uint8_t { key, key_and_response };

std::optional<raw_body> read_members(const dom::object& object, members known) {
  raw_body read;
  if (const auto key = codec::member_of(object, "idempotency_key")) {
    auto text = codec::string_of(*key);
    if (!text) return std::nullopt;
    read.key = std::move(*text);
  }
  if (known == members::key) return read;
  if (const auto response = codec::member_of(object, "response")) {
    read.response = codec::read_captured_response(*response);
    if (!read.response) return std::nullopt;
  }
  return read;
}

std::optional<raw_body> read_body(std::string_view body, dom::parser& parser, members known) {
  dom::object object;
  if (parse(body, parser).get(object) != simdjson::SUCCESS) return std::nullopt;
  auto read = read_members(object, known);
  if (read) return read;
  const auto plain = codec::with_plain_integers(body);  // the status may be 200.0
  if (!plain) return std::nullopt;
  const simdjson::padded_string padded(*plain);
  dom::parser again;  // the longer text is rare, so its memory is not kept
  ORDEM_CHECK(again.allocate(padded.size(), parser.max_depth()) == simdjson::SUCCESS);
  if (parse(padded, again).get(object) != simdjson::SUCCESS) return std::nullopt;
  return read_members(object, known);
}

}  // namespace

capture_body_result read_allocation(std::string_view body, simdjson::dom::parser& parser) {
  const auto read = read_body(body, parser, members::key);
  if (!read) return fail(capture_body_error::malformed_payload);
  auto key = capture_key::parse(read->key);
  if (!key) return fail(capture_body_error::malformed_key);
  return capture_request{std::move(*key), allocate_capture{}};
}

capture_body_result read_record(std::string_view body, simdjson::dom::parser& parser, std::size_t response_bytes_max) {
  auto read = read_body(body, parser, members::key_and_response);
  if (!read) return fail(capture_body_error::malformed_payload);
  auto key = capture_key::parse(read->key);
  if (!key) return fail(capture_body_error::malformed_key);
  if (!read->response) return fail(capture_body_error::malformed_payload);
  if (bytes_of(*read->response) > response_bytes_max) return fail(capture_body_error::response_too_large);
  return capture_request{std::move(*key),
                         record_capture{std::make_shared<const captured_response>(std::move(*read->response))}};
}

}  // namespace ordem::http_edge
