// The JSON of captures: bodies of requests into what is asked, records into JSON. Unknown members are passed over, as
// the server does that this interface comes from.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "engine/model/capture.hpp"

namespace ordem::edge {

enum class capture_body_error : std::uint8_t { malformed_payload, malformed_key, response_too_large };

using capture_body_result = tl::expected<capture_request, capture_body_error>;

// Of a PUT: {"idempotency_key"}. `body` must be followed by SIMDJSON_PADDING readable bytes; `parser` is reused from
// call to call, one thread at a time.
capture_body_result read_allocation(std::string_view body, simdjson::dom::parser& parser);

// Of a POST: {"idempotency_key", "response"}. A response of more than response_bytes_max (see bytes_of) is too large.
// As read_allocation().
capture_body_result read_record(std::string_view body, simdjson::dom::parser& parser, std::size_t response_bytes_max);

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

}  // namespace ordem::edge
