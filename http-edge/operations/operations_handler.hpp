// Requests for the state of the server (/-/..., /metrics), its API description and its problem pages. Thread-safe.
#pragma once

#include "http-edge/protocol/handler_context.hpp"
#include "http-edge/protocol/response.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

// Returns the response to a GET or HEAD.
// REQUIRES: `to` names one of these resources; for `position` the service is not recovering.
response operations_response(const route& to, const handler_context& context);

}  // namespace ordem::http_edge
