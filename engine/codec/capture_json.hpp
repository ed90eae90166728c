// Captures as JSON. Pure functions, any thread.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/capture.hpp"

namespace ordem::codec {

// Returns the last member of that name, as most readers of JSON take it; nullopt if there is none, or it is null.
std::optional<simdjson::dom::element> member_of(const simdjson::dom::object& object, std::string_view name);

// Returns nullopt if the value is not a string.
std::optional<std::string> string_of(const simdjson::dom::element& value);

// {"response_status", "response_body", "response_headers"}; the last two may be missing. Returns nullopt for anything
// else, and if a header has CR, LF or U+0000 in its key or value.
std::optional<captured_response> read_captured_response(const simdjson::dom::element& json);
// [{"key", "value"}, ...], with a value that is a text, a number, true, false or a list of these, or null for none;
// null and {}, which is how Lua's cjson writes an empty table, are an empty list too.
// Numbers and booleans become texts only where a client sent them: what this program wrote has none.
enum class header_values : std::uint8_t { texts, texts_and_scalars };
std::optional<std::vector<captured_header>> read_captured_headers(const simdjson::dom::element& json,
                                                                  header_values taken = header_values::texts);

// {"idempotency_key", "state", "allocated_at", "lease_ends_at", "expires_at", "response"}; a time is null where it is
// for ever or of no account, the response while nothing is recorded.
std::string capture_text(const capture_key& key, const capture& what);

// {"response_status", "response_body", "response_headers"}.
void append_captured_response(std::string& out, const captured_response& what);

// [{"key", "value"}, ...].
void append_headers(std::string& out, const std::vector<captured_header>& headers);

}  // namespace ordem::codec
