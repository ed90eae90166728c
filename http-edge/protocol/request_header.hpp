// The header fields of a request that describe its framing, its connection and its body (RFC 9110, RFC 9112), and the
// parser that keeps trailers apart from the header. List fields are read from all of their lines. Pure functions;
// thread-safe.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <optional>
#include <string_view>

#include "engine/codec/problem.hpp"
#include "http-edge/protocol/padded_body.hpp"
#include "http-edge/protocol/response.hpp"

namespace ordem::http_edge {

using request_header = boost::beast::http::request_header<>;
using http_request = boost::beast::http::request<padded_body>;

// Beast adds the fields of a trailer to those of the header. This parser checks and drops them: fields behind the body
// must not change the meaning of the request (RFC 9110, section 6.5.1).
class request_parser final : public boost::beast::http::request_parser<padded_body> {
 private:
  void on_field_impl(boost::beast::http::field name, boost::beast::string_view name_text,
                     boost::beast::string_view value, boost::beast::error_code& ec) override {
    ec = {};
    if (!is_header_done()) get().insert(name, name_text, value);
  }
};

struct header_fault {
  problem which;
  std::string_view detail;
};

// Returns an error of HTTP itself, in the framing, Host or Expect. The end of the body may be unknown, so the
// connection must be closed after the response.
std::optional<header_fault> find_fault(const request_header& header);

// Returns an error for a body that no call accepts: one with a Content-Encoding or a Content-Range.
std::optional<header_fault> find_body_fault(const request_header& header);
// Completes the response to such an error: adds the accepted codings (RFC 9110, section 15.5.16), or closes the
// connection.
void complete_refusal(response& refused, const header_fault& why);

// Returns whether the client wants the connection to stay open after the response (RFC 9112, section 9.3).
bool keeps_alive(const request_header& header);

// Returns whether the client waits for 100 Continue before it sends the body (RFC 9110, section 10.1.1).
bool expects_continue(const request_header& header);

}  // namespace ordem::http_edge
