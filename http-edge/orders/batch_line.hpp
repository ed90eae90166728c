// One line of a batch: parsing it into a message, and writing its verdict. Pure functions; thread-safe, apart from the
// parser.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "engine/model/message.hpp"
#include "engine/model/outcome.hpp"
#include "http-edge/protocol/response.hpp"

namespace ordem::http_edge {

inline constexpr std::string_view batch_media_type = "application/x-ndjson";

// A line that is not submitted to the engine: its key, if it could be read, and the response that a single create would
// get.
struct refused_line {
  std::optional<guid> key;
  response why;
};

using read_line = std::variant<message, refused_line>;

// Parses {"idempotency_key": "...", "order": {...}}. Returns the same message as a single create of that order.
// `line` and `parser` are as for codec::read_line_body().
read_line read_batch_line(std::string_view line, simdjson::dom::parser& parser);

// Appends {"idempotency_key":"...","status":201,"replayed":false,"expires_at":"...","order":{...}} and a line end.
void append_verdict(std::string& out, std::string_view key, const executed& what);
// Appends {"idempotency_key":"...","status":422,"replayed":false,"problem":{...}} and a line end.
void append_verdict(std::string& out, std::optional<std::string_view> key, const response& refused);

}  // namespace ordem::http_edge
