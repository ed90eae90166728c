// The calls of /-/backup: begin a back-up, and ask how the last one went. Thread-safe, apart from the JSON parser.
#pragma once

#include <simdjson.h>

#include "http-edge/protocol/handler_context.hpp"
#include "http-edge/protocol/request_header.hpp"
#include "http-edge/protocol/response.hpp"

namespace ordem::http_edge {

// Returns the response to a GET, HEAD or POST. REQUIRES: the service is not recovering.
response backup_response(const http_request& request, const handler_context& context, simdjson::dom::parser& parser);

}  // namespace ordem::http_edge
