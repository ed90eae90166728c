// The dispatcher: takes a request and returns a response, a page to read, or a request for the engine. Checks what is
// common to all calls, then passes them on to orders/, captures/ and operations/. Uses no sockets and waits for nothing
// but reads from disk. Each I/O thread owns one handler and is the only one that calls it.
#pragma once

#include <simdjson.h>

#include <boost/beast/http/verb.hpp>
#include <cstddef>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>

#include "engine/model/capture.hpp"
#include "engine/model/message.hpp"
#include "engine/model/origin.hpp"
#include "engine/model/outcome.hpp"
#include "http-edge/access/access_control.hpp"
#include "http-edge/feed/feed_request.hpp"
#include "http-edge/orders/order_page.hpp"
#include "http-edge/protocol/connection_info.hpp"
#include "http-edge/protocol/handler_context.hpp"
#include "http-edge/protocol/request_head.hpp"
#include "http-edge/protocol/request_header.hpp"
#include "http-edge/protocol/response.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

using handled = std::variant<response, message, capture_request, order_page, feed_request>;

class handler {
 public:
  // `context` must outlive the handler. `captured_bytes_max` bounds a response that is recorded for a capture.
  handler(const handler_context& context, std::size_t captured_bytes_max, access_control&& access);

  // Decides whether the request may be made at all. `to` is the result of find_route() for its target, `from` the
  // connection that it came by. Returns an error if not: the only one that may be sent.
  tl::expected<authorization, response> authorize(const http_request& request, const std::optional<route>& to,
                                                  const connection_info& from);
  bool has_identities() const noexcept { return access_.has_identities(); }

  // Checks the header of a request; its body may not have arrived. `to` and `from` are as for authorize(),
  // `sender` is the origin in its result. Returns an error if the request is refused whatever its body is.
  tl::expected<request_head, response> read_head(const http_request& request, std::optional<route>&& to,
                                                 const connection_info& from, origin&& sender) const;

  // For a client that waits for 100 Continue: returns the error if the header alone refuses the request. Of a complete
  // request these errors come after those of its body.
  std::optional<response> refuse_unsent_body(const http_request& request, const request_head& head) const;

  // Handles a complete request. `head` is the result of read_head(). REQUIRES: the request is not a batch, whose lines
  // batch_stream takes from its body as they arrive.
  handled handle(const http_request& request, request_head&& head);

  // The parser for read_batch_line().
  simdjson::dom::parser& line_parser() noexcept { return line_parser_; }

 private:
  tl::expected<request_head, response> check_head(const http_request& request, std::optional<route>&& to,
                                                  const connection_info& from, origin&& sender) const;
  void shrink_parser();

  const handler_context& context_;
  access_control access_;
  const std::size_t captured_bytes_max_;
  simdjson::dom::parser parser_;
  simdjson::dom::parser line_parser_;
};

// Returns the response to the engine's answer. `to` is the resource of the request that was submitted.
response answer_response(resource to, const answer& what, const handler_context& context);

// Returns the error for a request that did not arrive completely, or whose response cannot be sent. The connection
// closes after it.
response refused_request(problem which, std::string_view detail, boost::beast::http::verb method, resource to,
                         const handler_context& context);
// Returns the error for a request that has arrived completely. The connection stays open.
response refusal_of(problem which, std::string_view detail, boost::beast::http::verb method, resource to,
                    const handler_context& context);
// Returns the same for a request that has not been authorised: without the headers that speak of the data.
response refused_before_authorization(problem which, std::string_view detail, resource to);

}  // namespace ordem::http_edge
