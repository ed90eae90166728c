// The JSON body of a write, read into a command with all that is wrong with it.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "engine/model/message.hpp"
#include "engine/rules/validate.hpp"

namespace ordem::codec {

// Which call the body belongs to, and so which members it may have.
enum class write_kind : std::uint8_t { create, replace, merge, change_status };

struct write_body {
  // The member guid as it was sent, empty if it was no string; absent if it was not sent.
  std::optional<std::string> guid;
  std::optional<ordem::version> version;
  ordem::command command;
  // If there are any, the command is not to be executed.
  std::vector<violation> violations;
};

struct malformed_json_error {
  std::string detail;
};

// `body` must be followed by SIMDJSON_PADDING readable bytes; it is parsed in place. `parser` is reused from call to
// call, one thread at a time.
tl::expected<write_body, malformed_json_error> read_write_body(write_kind kind, std::string_view body,
                                                               simdjson::dom::parser& parser);

// A line of a batch: a create's body, and beside it the GUID as it was sent, empty if it was no string; absent if it
// was not sent. What is wrong with the line's own members stands among the violations too.
struct line_body {
  std::optional<std::string> key;
  write_body body;
};

// As above. The parser takes one level of nesting more, so that an order may be as deep as in a create's own body.
tl::expected<line_body, malformed_json_error> read_line_body(std::string_view line, simdjson::dom::parser& parser);

}  // namespace ordem::codec
