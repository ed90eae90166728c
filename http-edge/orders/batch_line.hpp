// One line of a batch: read into the message that it asks for, and its verdict written. Pure functions.
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

// A line that never gets to the engine: its key, if it could be read, and what a single create would be answered.
struct refused_line {
  std::optional<guid> key;
  response why;
};

using read_line = std::variant<message, refused_line>;

// {"idempotency_key": "...", "order": {...}}. The message is the one that a create of that order by itself would make.
// `line` and `parser` as for read_write_body(); the parser takes one level of nesting more.
read_line read_batch_line(std::string_view line, simdjson::dom::parser& parser);

// {"idempotency_key":"...","status":201,"replayed":false,"expires_at":"...","order":{...}} and a line end.
void append_verdict(std::string& out, std::string_view key, const executed& what);
// {"idempotency_key":"...","status":422,"replayed":false,"problem":{...}} and a line end.
void append_verdict(std::string& out, std::optional<std::string_view> key, const response& refused);

}  // namespace ordem::http_edge
