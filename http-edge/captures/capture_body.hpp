// Parses the bodies of calls of captures. Unknown members are ignored, as they are by the server that this interface
// replaces. Pure functions; thread-safe, apart from the parser.
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

namespace ordem::http_edge {

enum class capture_body_error : std::uint8_t { malformed_payload, malformed_key, response_too_large };

using capture_body_result = tl::expected<capture_request, capture_body_error>;

// Parses the body of a PUT: {"idempotency_key"}. `parser` may be reused, by one thread at a time.
// REQUIRES: `body` is followed by SIMDJSON_PADDING readable bytes.
capture_body_result read_allocation(std::string_view body, simdjson::dom::parser& parser);

// Parses the body of a POST: {"idempotency_key", "response"}. A response of more than response_bytes_max (see bytes_of)
// is too large. `body` and `parser` are as for read_allocation().
capture_body_result read_record(std::string_view body, simdjson::dom::parser& parser, std::size_t response_bytes_max);

}  // namespace ordem::http_edge
