// What the header section of a request says of its framing, its connection and its body, as RFC 9110 and RFC 9112 have
// it, and the parser that keeps that section apart from a trailer. A field that is a list counts in all of its lines.
// Pure functions.
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

// Beast adds the fields of a trailer to those of the message. This parser checks them and drops them: what stands
// behind a body must not say what the request is (RFC 9110, section 6.5.1).
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

// Why HTTP itself refuses the request, whatever it asks for: its framing, its Host, or what it expects. Where its body
// ends may be unknown, so the connection has to be closed after the answer.
std::optional<header_fault> find_fault(const request_header& header);

// Why a call that takes a body can't take this one: what the header says of the body, apart from its media type, and
// this server does not do.
std::optional<header_fault> find_body_fault(const request_header& header);
// What the answer to it says besides: which codings are taken (RFC 9110, section 15.5.16), or that the connection ends.
void complete_refusal(response& refused, const header_fault& why);

// Whether the client wants the connection to stay open after the answer (RFC 9112, section 9.3).
bool keeps_alive(const request_header& header);

// Whether the client waits for 100 Continue before it sends the body (RFC 9110, section 10.1.1).
bool expects_continue(const request_header& header);

}  // namespace ordem::http_edge
