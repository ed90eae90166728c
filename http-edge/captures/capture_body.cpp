#include "http-edge/captures/capture_body.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/limits.hpp"
#include "engine/base/text.hpp"
#include "engine/model/json_value.hpp"
#include "http-edge/protocol/json_number.hpp"

namespace ordem::edge {
namespace {

namespace dom = simdjson::dom;

tl::unexpected<capture_body_error> fail(capture_body_error why) {
  return tl::make_unexpected(why);
}

// The last member of that name, as most readers of JSON take it; nothing if there is none, or it is null.
std::optional<dom::element> member_of(const dom::object& object, std::string_view name) {
  std::optional<dom::element> found;
  for (const auto [key, value] : object) {
    if (key == name) found = value;
  }
  return found && !found->is_null() ? found : std::nullopt;
}

std::optional<std::string> string_of(const dom::element& value) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

// The text of a header's value. Clients in Lua send a number where a header looks like one, and to refuse it would
// leave the response unrecorded: it becomes the shortest text of the same number.
std::optional<std::string> value_text_of(const dom::element& value, header_values taken) {
  if (taken == header_values::texts) return string_of(value);
  if (bool flag = false; value.get(flag) == simdjson::SUCCESS) return flag ? "true" : "false";
  return value.is_number() ? number_text_of(value) : string_of(value);
}

std::optional<std::vector<std::string>> value_texts_of(const dom::array& values, header_values taken) {
  std::vector<std::string> texts;
  for (const auto value : values) {
    auto text = value_text_of(value, taken);
    if (!text) return std::nullopt;
    texts.push_back(std::move(*text));
  }
  return texts;
}

std::optional<captured_header> header_of(const dom::element& json, header_values taken) {
  dom::object members;
  if (json.get(members) != simdjson::SUCCESS) return std::nullopt;
  captured_header header;
  if (const auto key = member_of(members, "key")) {
    auto text = string_of(*key);
    if (!text) return std::nullopt;
    header.key = std::move(*text);
  }
  const auto value = member_of(members, "value");
  if (!value) return header;
  if (dom::array list; value->get(list) == simdjson::SUCCESS) {
    auto texts = value_texts_of(list, taken);
    if (!texts) return std::nullopt;
    header.value = std::move(*texts);
    return header;
  }
  auto text = value_text_of(*value, taken);
  if (!text) return std::nullopt;
  header.value = std::move(*text);
  return header;
}

// Whether it has no character that no header can have (RFC 9110, section 5.5): each of them could end a line of the
// header of whoever repeats the response. Postgres' jsonb has no U+0000 either.
bool is_header_text(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
}

bool can_be_sent(const captured_header& header) {
  if (!is_header_text(header.key)) return false;
  if (const auto* text = std::get_if<std::string>(&header.value)) return is_header_text(*text);
  const auto& texts = std::get<std::vector<std::string>>(header.value);
  return std::all_of(texts.begin(), texts.end(), is_header_text);
}

// What a body says, whole as far as its types go.
struct raw_body {
  std::string key;  // empty if there is none
  std::optional<captured_response> response;
};

// Bytes that are no UTF-8 come from the headers of a server that writes Latin-1. To refuse them would leave its answer
// unrecorded, and have the request executed once more.
simdjson::simdjson_result<dom::element> parse(std::string_view body, dom::parser& parser) {
  body = without_byte_order_mark(body);
  constexpr bool copies = false;  // the padding is there already
  auto json = parser.parse(body.data(), body.size(), copies);
  if (json.error() != simdjson::UTF8_ERROR) return json;
  return parser.parse(simdjson::padded_string(to_utf8(body)));
}

enum class members : std::uint8_t { key, key_and_response };

std::optional<raw_body> read_members(const dom::object& object, members known) {
  raw_body read;
  if (const auto key = member_of(object, "idempotency_key")) {
    auto text = string_of(*key);
    if (!text) return std::nullopt;
    read.key = std::move(*text);
  }
  if (known == members::key) return read;
  if (const auto response = member_of(object, "response")) {
    read.response = read_captured_response(*response);
    if (!read.response) return std::nullopt;
  }
  return read;
}

std::optional<raw_body> read_body(std::string_view body, dom::parser& parser, members known) {
  dom::object object;
  if (parse(body, parser).get(object) != simdjson::SUCCESS) return std::nullopt;
  auto read = read_members(object, known);
  if (read) return read;
  const auto plain = with_plain_integers(body);  // the status may be 200.0
  if (!plain) return std::nullopt;
  const simdjson::padded_string padded(*plain);
  dom::parser again;  // for the longer text, which is not worth keeping the memory for
  CHECK(again.allocate(padded.size(), parser.max_depth()) == simdjson::SUCCESS);
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

std::optional<captured_response> read_captured_response(const simdjson::dom::element& json) {
  dom::object members;
  if (json.get(members) != simdjson::SUCCESS) return std::nullopt;
  captured_response response;
  const auto status = member_of(members, "response_status");
  std::int64_t number = 0;
  if (!status || status->get(number) != simdjson::SUCCESS) return std::nullopt;
  if (number < limits::captured_status_min || number > limits::captured_status_max) return std::nullopt;
  response.status = static_cast<std::uint16_t>(number);
  if (const auto body = member_of(members, "response_body")) {
    auto text = string_of(*body);
    if (!text) return std::nullopt;
    response.body = std::move(*text);
  }
  if (const auto headers = member_of(members, "response_headers")) {
    auto list = read_captured_headers(*headers, header_values::texts_and_scalars);
    if (!list || !std::all_of(list->begin(), list->end(), can_be_sent)) return std::nullopt;
    response.headers = std::move(*list);
  }
  return response;
}

std::optional<std::vector<captured_header>> read_captured_headers(const simdjson::dom::element& json,
                                                                  header_values taken) {
  std::vector<captured_header> headers;
  dom::object empty;
  if (json.is_null() || (json.get(empty) == simdjson::SUCCESS && empty.size() == 0)) return headers;
  dom::array list;
  if (json.get(list) != simdjson::SUCCESS) return std::nullopt;
  for (const auto each : list) {
    auto header = header_of(each, taken);
    if (!header) return std::nullopt;
    headers.push_back(std::move(*header));
  }
  return headers;
}

std::string capture_text(const capture_key& key, const capture& what) {
  const auto append_time = [](std::string& to, const std::optional<timestamp>& at) {
    if (!at) {
      to += "null";
      return;
    }
    to += '"';
    append_rfc3339(to, *at);
    to += '"';
  };
  std::string out = "{\"idempotency_key\":";
  append_json_string(out, key.view());
  out += ",\"state\":";
  append_json_string(out, what.response ? "completed" : "allocated");
  out += ",\"allocated_at\":";
  append_time(out, what.allocated_at);
  out += ",\"lease_ends_at\":";
  append_time(out, what.lease_ends_at);
  out += ",\"expires_at\":";
  append_time(out, what.expires_at);
  out += ",\"response\":";
  if (what.response) {
    append_captured_response(out, *what.response);
  } else {
    out += "null";
  }
  out += '}';
  return out;
}

void append_captured_response(std::string& out, const captured_response& what) {
  out += "{\"response_status\":";
  append_number(out, what.status);
  out += ",\"response_body\":";
  append_json_string(out, what.body);
  out += ",\"response_headers\":";
  append_json(out, what.headers);
  out += '}';
}

}  // namespace ordem::edge
