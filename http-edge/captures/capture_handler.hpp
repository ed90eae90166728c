// The calls of captures: from a whole request to what is asked of the engine, and from its answer back. Their errors
// have the form of the server that this interface comes from, {"error": "..."}.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <optional>
#include <string_view>

#include "engine/model/capture.hpp"
#include "engine/model/outcome.hpp"
#include "http-edge/orders/handler.hpp"
#include "http-edge/protocol/response.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

// By its header alone: the answer, if the request is refused whatever its body holds.
std::optional<response> refuse_capture(const http_request& request, const route& to, const handler_context& context);

// Of a request whose header is not refused. `response_bytes_max`: of a response that is to be recorded.
handled handle_capture(const http_request& request, const route& to, const handler_context& context,
                       simdjson::dom::parser& parser, std::size_t response_bytes_max);

// The answer to a call of captures.
response capture_response(const answer& what, std::optional<position> visible);

// A problem in the form of captures.
response capture_problem(problem which, std::string_view detail, std::optional<position> visible);

}  // namespace ordem::http_edge
