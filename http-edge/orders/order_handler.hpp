// Requests for orders and messages. A write becomes a message for the engine; a read becomes a response, or a page that
// is read step by step. Errors of a write carry the headers of a write (see add_write_headers). Thread-safe, apart from
// the JSON parser.
#pragma once

#include <simdjson.h>

#include <boost/beast/http/verb.hpp>
#include <optional>
#include <tl/expected.hpp>
#include <variant>

#include "engine/model/message.hpp"
#include "http-edge/orders/batch_line.hpp"
#include "http-edge/orders/order_page.hpp"
#include "http-edge/protocol/handler_context.hpp"
#include "http-edge/protocol/request_head.hpp"
#include "http-edge/protocol/request_header.hpp"
#include "http-edge/protocol/response.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

// Checks the header of a write of one order. Returns the GUID in Idempotency-Key, if there is one, or the error.
tl::expected<std::optional<guid>, response> check_write_header(const http_request& request, const route& to,
                                                               const handler_context& context);

// Checks the header of a batch. Returns the error, if there is one.
std::optional<response> check_batch_header(const http_request& request, const route& to,
                                           const handler_context& context);

// Returns what a batch asks for. REQUIRES: its header has been checked.
batch_request batch_request_of(const request_head& head);

// Checks the parts of a write's header that are otherwise checked after its body. Returns the error, if there is one.
std::optional<response> check_target_and_version(const http_request& request, const route& to,
                                                 const handler_context& context);

// Reads the body of a write of one order whose header has been checked. Returns its message or the error.
tl::expected<message, response> read_write(const http_request& request, request_head&& head,
                                           const handler_context& context, simdjson::dom::parser& parser);

// Returns the response to a GET or HEAD, or the page that it asks for. May block for a read from disk.
// REQUIRES: the route names an order, a version, a message or a list of them; the service is not recovering.
std::variant<response, order_page> read_orders(const http_request& request, const request_head& head,
                                               const handler_context& context);

// Returns `refused` with the headers of a write that was not executed.
response refused_write(response refused, const handler_context& context);

}  // namespace ordem::http_edge
