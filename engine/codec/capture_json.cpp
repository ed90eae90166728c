#include "engine/codec/capture_json.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "engine/base/limits.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/json_number.hpp"
#include "engine/codec/json_pieces.hpp"
#include "engine/model/json_value.hpp"

namespace ordem::codec {
namespace {

namespace dom = simdjson::dom;

// Returns the text of a header's value. Lua clients send a number for a header that looks like one. Rejecting it would
// leave the response unrecorded, so it becomes the shortest text of the same number.
std::optional<std::string> value_text_of(const dom::element& value, header_values accepted) {
  if (accepted == header_values::texts) return string_of(value);
  if (bool flag = false; value.get(flag) == simdjson::SUCCESS) return flag ? "true" : "false";
  return value.is_number() ? number_text_of(value) : string_of(value);
}

std::optional<std::vector<std::string>> value_texts_of(const dom::array& values, header_values accepted) {
  std::vector<std::string> texts;
  for (const auto value : values) {
    auto text = value_text_of(value, accepted);
    if (!text) return std::nullopt;
    texts.push_back(std::move(*text));
  }
  return texts;
}

std::optional<captured_header> header_of(const dom::element& json, header_values accepted) {
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
    auto texts = value_texts_of(list, accepted);
    if (!texts) return std::nullopt;
    header.value = std::move(*texts);
    return header;
  }
  auto text = value_text_of(*value, accepted);
  if (!text) return std::nullopt;
  header.value = std::move(*text);
  return header;
}

// Returns whether the text is free of characters that a header cannot contain (RFC 9110, section 5.5): they could end a
// header line when the response is replayed. jsonb in Postgres cannot store U+0000 either.
bool is_header_text(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
}

bool can_be_sent(const captured_header& header) {
  if (!is_header_text(header.key)) return false;
  if (const auto* text = std::get_if<std::string>(&header.value)) return is_header_text(*text);
  const auto& texts = std::get<std::vector<std::string>>(header.value);
  return std::all_of(texts.begin(), texts.end(), is_header_text);
}

}  // namespace

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
                                                                  header_values accepted) {
  std::vector<captured_header> headers;
  dom::object empty;
  if (json.is_null() || (json.get(empty) == simdjson::SUCCESS && empty.size() == 0)) return headers;
  dom::array list;
  if (json.get(list) != simdjson::SUCCESS) return std::nullopt;
  for (const auto each : list) {
    auto header = header_of(each, accepted);
    if (!header) return std::nullopt;
    headers.push_back(std::move(*header));
  }
  return headers;
}

std::string capture_text(const capture_key& key, const capture& what) {
  const auto append_time_or_null = [](std::string& to, const std::optional<timestamp>& at) {
    if (at) {
      append_time(to, *at);
    } else {
      to += "null";
    }
  };
  std::string out = "{\"idempotency_key\":";
  append_json_string(out, key.view());
  out += ",\"state\":";
  append_json_string(out, what.response ? "completed" : "allocated");
  append_actor(out, what.origin);
  out += ",\"allocated_at\":";
  append_time(out, what.allocated_at);
  out += ",\"lease_ends_at\":";
  append_time_or_null(out, what.lease_ends_at);
  out += ",\"expires_at\":";
  append_time_or_null(out, what.expires_at);
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
  append_headers(out, what.headers);
  out += '}';
}

void append_headers(std::string& out, const std::vector<captured_header>& headers) {
  out += '[';
  for (const captured_header& header : headers) {
    if (out.back() != '[') out += ',';
    out += "{\"key\":";
    append_json_string(out, header.key);
    out += ",\"value\":";
    if (const auto* one = std::get_if<std::string>(&header.value)) {
      append_json_string(out, *one);
    } else {
      out += '[';
      const auto& list = std::get<std::vector<std::string>>(header.value);
      for (std::size_t i = 0; i < list.size(); ++i) {
        if (i != 0) out += ',';
        append_json_string(out, list[i]);
      }
      out += ']';
    }
    out += '}';
  }
  out += ']';
}

}  // namespace ordem::codec
