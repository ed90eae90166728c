// Parses the JSON body of a write into a command, with all its validation errors. Pure functions; thread-safe, apart
// from the parser.
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

// The call that the body belongs to, which determines the members that it may have.
enum class write_kind : std::uint8_t { create, replace, merge, change_status };

struct write_body {
  // The member guid as it was sent: empty if it is not a string, nullopt if it is missing.
  std::optional<std::string> guid;
  std::optional<ordem::version> version;
  // The member on_conflict is merge; see expected_version.
  bool merges = false;
  ordem::command command;
  // If there are any, the command must not be executed.
  std::vector<violation> violations;
};

struct malformed_json_error {
  std::string detail;
};

// REQUIRES: `body` is followed by SIMDJSON_PADDING readable bytes, as it is parsed in place. `parser` may be reused, by
// one thread at a time.
tl::expected<write_body, malformed_json_error> read_write_body(write_kind kind, std::string_view body,
                                                               simdjson::dom::parser& parser);

// The lines that a batch consists of.
enum class line_form : std::uint8_t {
  create,   // {"idempotency_key", "order"}
  command,  // one of:
            //   {"op": "create", "idempotency_key", "order"}
            //   {"op": "replace" or "merge", "idempotency_key", "order_id", "version", "on_conflict", "order"}
            //   {"op": "status", "idempotency_key", "order_id", "version", "status"}
};

// A line of a batch: what a single request has in its headers, its target and its body, which is the member order.
struct line_body {
  // The member idempotency_key as it was sent: empty if it is not a string, nullopt if it is missing.
  std::optional<std::string> key;
  // The member order_id as it was sent; nullopt for a create.
  std::optional<std::string> order_id;
  std::optional<ordem::version> version;
  // With the errors of the line's own members among its violations.
  write_body body;
};

// As read_write_body(). `parser` must accept one level of nesting more, so that the order may be nested as deeply as in
// the body of a single request.
tl::expected<line_body, malformed_json_error> read_line_body(line_form form, std::string_view line,
                                                             simdjson::dom::parser& parser);

}  // namespace ordem::codec
