// One line of a batch: parsing it into a message, and writing its verdict. Pure functions; thread-safe, apart from the
// parser and the generated keys.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "engine/codec/write_body.hpp"
#include "engine/model/conflict.hpp"
#include "engine/model/message.hpp"
#include "engine/model/origin.hpp"
#include "engine/model/outcome.hpp"
#include "http-edge/orders/generated_keys.hpp"
#include "http-edge/protocol/response.hpp"

namespace ordem::http_edge {

inline constexpr std::string_view batch_media_type = "application/x-ndjson";

// What the header of a batch asks for.
struct batch_request {
  codec::line_form lines = codec::line_form::create;
  bool generates_keys = false;  // for lines that have none
  ordem::origin origin = {};    // of every line
};

// A line that is not submitted to the engine: its key, if it could be read, and the response that a single request
// would get.
struct refused_line {
  std::optional<guid> key;
  response why;
};

using read_line = std::variant<message, refused_line>;

// Parses a line as described at codec::line_form. Returns the same message as a single request. A line without a key
// gets one of `generated`; it is refused if that is null. `line` and `parser` are as for codec::read_line_body().
read_line read_batch_line(codec::line_form form, std::string_view line, const origin& sender, generated_keys* generated,
                          simdjson::dom::parser& parser);

// Appends {"idempotency_key":"...","status":201,"replayed":false,"expires_at":"...","order":{...}} and a line end. A
// rejection has the member problem instead of order. `of` as for codec::recorded_response_of().
void append_verdict(std::string& out, std::string_view key, const executed& what, const conflict& of = {});
// Appends {"idempotency_key":"...","status":422,"replayed":false,"problem":{...}} and a line end.
void append_verdict(std::string& out, std::optional<std::string_view> key, const response& refused);

}  // namespace ordem::http_edge
