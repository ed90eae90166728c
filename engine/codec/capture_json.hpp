// Captures as JSON. Pure functions; thread-safe.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/capture.hpp"

namespace ordem::codec {

// Returns the last member with this name, as most JSON parsers do, or nullopt if there is none or its value is null.
std::optional<simdjson::dom::element> member_of(const simdjson::dom::object& object, std::string_view name);

// Returns nullopt if the value is not a string.
std::optional<std::string> string_of(const simdjson::dom::element& value);

// Reads {"response_status", "response_body", "response_headers"}, of which the last two are optional. Returns nullopt
// for anything else, and if a header has CR, LF or U+0000 in its key or value.
std::optional<captured_response> read_captured_response(const simdjson::dom::element& json);
// Whether numbers and booleans are accepted as header values and become texts. Clients send them; this program writes
// only texts.
enum class header_values : std::uint8_t { texts, texts_and_scalars };
// Reads [{"key", "value"}, ...], where a value is a text, a number, true, false, a list of these, or null for no value.
// null and {}, which is how Lua's cjson writes an empty table, are empty lists.
std::optional<std::vector<captured_header>> read_captured_headers(const simdjson::dom::element& json,
                                                                  header_values accepted = header_values::texts);

// Returns {"idempotency_key", "state", "actor", "allocated_at", "lease_ends_at", "expires_at", "response"}. There is no
// actor without identities. A time is null if it is unlimited or does not apply, the response is null until it is
// recorded.
std::string capture_text(const capture_key& key, const capture& what);

// Appends {"response_status", "response_body", "response_headers"}.
void append_captured_response(std::string& out, const captured_response& what);

// Appends [{"key", "value"}, ...].
void append_headers(std::string& out, const std::vector<captured_header>& headers);

}  // namespace ordem::codec
