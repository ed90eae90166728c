// The value of a header, read as each of those that the server reads: Idempotency-Key, If-Match, If-None-Match,
// Content-Type, traceparent, tracestate, X-Request-Id. Spaces around a value are no part of it, and what was read must
// be read the same when it is written again.

#include "http-edge/protocol/headers.hpp"
#include "http-edge/protocol/request_context.hpp"

#include <algorithm>

#include "tests/fuzz/support.hpp"

namespace ordem::http_edge {
namespace {

std::string with_spaces(std::string_view value) {
  return "\t " + std::string(value) + " \t";
}

// RFC 8941, section 3.3.3.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

void check_idempotency_key(std::string_view value) {
  const auto key = parse_idempotency_key(value);
  ORDEM_CHECK(parse_idempotency_key(with_spaces(value)) == key);
  if (!key) return;
  const std::string_view text = key->view();
  ORDEM_CHECK(!text.empty() && text.size() <= limits::guid_bytes_max);
  ORDEM_CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7E; }));
  ORDEM_CHECK(parse_idempotency_key(quoted(text)) == key);
}

void check_if_match(std::string_view value) {
  const auto named = parse_if_match(value);
  ORDEM_CHECK(parse_if_match(with_spaces(value)) == named);
  if (!named) return;
  ORDEM_CHECK(named->number >= 1 && named->number <= std::uint64_t{limits::exact_integer_max});
  ORDEM_CHECK(parse_if_match(entity_tag(*named)) == named);
  ORDEM_CHECK(if_none_match_holds(value, *named));
}

void check_if_none_match(std::string_view value) {
  for (const version current : {version{1}, version{12}}) {
    const bool holds = if_none_match_holds(value, current);
    ORDEM_CHECK(if_none_match_holds(with_spaces(value), current) == holds);
    const bool may_hold =
        value.find('*') != std::string_view::npos || value.find(entity_tag(current)) != std::string_view::npos;
    ORDEM_CHECK(may_hold || !holds);
  }
}

void check_media_type(std::string_view value) {
  const std::string type = media_type(value);
  ORDEM_CHECK(media_type(type) == type);
  ORDEM_CHECK(media_type(with_spaces(value)) == type);
  ORDEM_CHECK(std::none_of(type.begin(), type.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == ';'; }));
  const bool other = has_other_charset(value);
  ORDEM_CHECK(has_other_charset(with_spaces(value)) == other);
  ORDEM_CHECK(!other || value.find(';') != std::string_view::npos);
}

void check_positive(std::string_view value) {
  const auto number = parse_positive(value);
  ORDEM_CHECK(!number || std::to_string(*number) == value);
}

void check_context(std::string_view value) {
  constexpr std::string_view valid_parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto is_visible = [](char c) { return c >= 0x21 && c <= 0x7E; };
  if (is_request_id(value)) ORDEM_CHECK(std::all_of(value.begin(), value.end(), is_visible));
  if (const auto parent = parse_trace_parent(value)) {
    ORDEM_CHECK(
        std::any_of(parent->trace_id.begin(), parent->trace_id.end(), [](std::uint8_t byte) { return byte != 0; }));
    ORDEM_CHECK(
        std::any_of(parent->span_id.begin(), parent->span_id.end(), [](std::uint8_t byte) { return byte != 0; }));
  }
  request_header header;
  header.insert("traceparent", valid_parent);
  if (value.size() <= 2 * trace_state_bytes_max) header.insert("tracestate", value);
  request_context found;
  read_request_context(header, found);
  ORDEM_CHECK(found.parent);
  ORDEM_CHECK(found.trace_state.size() <= trace_state_bytes_max);
  ORDEM_CHECK(std::all_of(found.trace_state.begin(), found.trace_state.end(),
                          [&](char c) { return is_visible(c) || c == ' ' || c == '\t'; }));
}

void run(std::string_view value) {
  check_idempotency_key(value);
  check_if_match(value);
  check_if_none_match(value);
  check_media_type(value);
  check_positive(value);
  check_context(value);
}

}  // namespace
}  // namespace ordem::http_edge

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ordem::http_edge::run(ordem::fuzz::text_of(data, size));
  return 0;
}
