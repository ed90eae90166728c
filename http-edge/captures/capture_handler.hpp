// Calls of captures: from a request to one for the engine, and from the engine's answer to a response. Errors have the
// form of the server that this interface replaces, {"error":"..."}. Thread-safe, apart from the JSON parser.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/model/capture.hpp"
#include "engine/model/outcome.hpp"
#include "http-edge/protocol/handler_context.hpp"
#include "http-edge/protocol/request_head.hpp"
#include "http-edge/protocol/request_header.hpp"
#include "http-edge/protocol/response.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

// Checks the header of a request. Returns an error if the request is refused whatever its body is.
std::optional<response> check_capture_header(const http_request& request, const route& to,
                                             const handler_context& context);

// Reads a complete request whose header has been checked. `response_bytes_max` bounds a response that is recorded.
tl::expected<capture_request, response> read_capture(const http_request& request, request_head&& head,
                                                     const handler_context& context, simdjson::dom::parser& parser,
                                                     std::size_t response_bytes_max);

// Returns the response to a GET or HEAD of one capture, whose header has been checked: its state, or 404. May block for
// a read from disk.
response find_capture(const request_head& head, const handler_context& context);

// Returns the response to the engine's answer. REQUIRES: a capture_request was submitted.
response capture_response(const answer& what, std::optional<position> visible);

// Returns an error in the form of captures.
response capture_problem(problem which, std::string_view detail, std::optional<position> visible);

}  // namespace ordem::http_edge
