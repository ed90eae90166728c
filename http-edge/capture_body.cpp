#include "http-edge/capture_body.hpp"

#include <memory>
#include <utility>

#include "engine/json_value.hpp"
#include "engine/limits.hpp"
#include "engine/text.hpp"

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

// The text of a header: U+0000 has no place in one (RFC 9110, section 5.5), nor in Postgres' jsonb.
std::optional<std::string> header_text_of(const dom::element& value) {
  auto text = string_of(value);
  return text && text->find('\0') == std::string::npos ? text : std::nullopt;
}

std::optional<std::vector<std::string>> header_texts_of(const dom::array& values) {
  std::vector<std::string> texts;
  for (const auto value : values) {
    auto text = header_text_of(value);
    if (!text) return std::nullopt;
    texts.push_back(std::move(*text));
  }
  return texts;
}

std::optional<captured_header> header_of(const dom::element& json) {
  dom::object members;
  if (json.get(members) != simdjson::SUCCESS) return std::nullopt;
  captured_header header;
  if (const auto key = member_of(members, "key")) {
    auto text = header_text_of(*key);
    if (!text) return std::nullopt;
    header.key = std::move(*text);
  }
  const auto value = member_of(members, "value");
  if (!value) return header;
  if (dom::array list; value->get(list) == simdjson::SUCCESS) {
    auto texts = header_texts_of(list);
    if (!texts) return std::nullopt;
    header.value = std::move(*texts);
    return header;
  }
  auto text = header_text_of(*value);
  if (!text) return std::nullopt;
  header.value = std::move(*text);
  return header;
}

// What a body says, whole as far as its types go.
struct raw_body {
  std::string key;  // empty if there is none
  std::optional<captured_response> response;
};

// Bytes that are no UTF-8 come from the headers of a server that writes Latin-1. To refuse them would leave its answer
// unrecorded, and have the request executed once more.
simdjson::simdjson_result<dom::element> parse(std::string_view body, dom::parser& parser) {
  constexpr bool copies = false;  // the padding is there already
  auto json = parser.parse(body.data(), body.size(), copies);
  if (json.error() != simdjson::UTF8_ERROR) return json;
  return parser.parse(simdjson::padded_string(to_utf8(body)));
}

enum class members : std::uint8_t { key, key_and_response };

std::optional<raw_body> read_body(std::string_view body, dom::parser& parser, members known) {
  dom::object object;
  if (parse(body, parser).get(object) != simdjson::SUCCESS) return std::nullopt;
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
    auto list = read_captured_headers(*headers);
    if (!list) return std::nullopt;
    response.headers = std::move(*list);
  }
  return response;
}

std::optional<std::vector<captured_header>> read_captured_headers(const simdjson::dom::element& json) {
  std::vector<captured_header> headers;
  dom::object empty;
  if (json.is_null() || (json.get(empty) == simdjson::SUCCESS && empty.size() == 0)) return headers;
  dom::array list;
  if (json.get(list) != simdjson::SUCCESS) return std::nullopt;
  for (const auto each : list) {
    auto header = header_of(each);
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
