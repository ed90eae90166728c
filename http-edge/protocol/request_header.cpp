#include "http-edge/protocol/request_header.hpp"

#include <algorithm>
#include <iterator>

#include "http-edge/protocol/headers.hpp"

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;

// Returns whether `is_it` holds for a member of a list field, in any of its lines. Empty members are ignored (RFC 9110,
// section 5.6.1.2).
template <class Predicate>
bool any_member(const request_header& header, http::field name, Predicate is_it) {
  const auto [first, last] = header.equal_range(name);
  return std::any_of(first, last, [&](const auto& line) {
    for (std::string_view rest = line.value(); !rest.empty();) {
      const auto comma = std::min(rest.find(','), rest.size());
      const auto member = trimmed(rest.substr(0, comma));
      if (!member.empty() && is_it(member)) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return false;
  });
}

bool has_option(const request_header& header, std::string_view option) {
  return any_member(header, http::field::connection,
                    [&](std::string_view each) { return equals_ignoring_case(each, option); });
}

bool is_before_1_1(const request_header& header) {
  return header.version() < 11;
}

bool is_continue(std::string_view expectation) {
  return equals_ignoring_case(expectation, "100-continue");
}

// RFC 9110, section 7.2, and RFC 3986, section 3.2.2: a name or an address, with an optional port.
bool is_host(std::string_view value) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_of_name = [&](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~%!$&'()*+,;=").find(c) != std::string_view::npos;
  };
  auto host_end = std::min(value.find(':'), value.size());
  if (value.starts_with('[')) {
    host_end = value.find(']');
    if (host_end == std::string_view::npos) return false;
    const auto address = value.substr(1, host_end++ - 1);
    if (!std::all_of(address.begin(), address.end(), [&](char c) { return c == ':' || is_of_name(c); })) return false;
  } else if (!std::all_of(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(host_end), is_of_name)) {
    return false;
  }
  const auto port = value.substr(host_end);
  return port.empty() || (port.front() == ':' && std::all_of(port.begin() + 1, port.end(), is_digit));
}

// RFC 9112, section 6: if the last coding of Transfer-Encoding is not chunked, the end of the body is unknown, and this
// server supports no other coding. HTTP/1.0 has no Transfer-Encoding: a proxy may have framed the request differently.
std::optional<header_fault> find_framing_fault(const request_header& header) {
  const auto [first, last] = header.equal_range(http::field::transfer_encoding);
  if (first == last) return std::nullopt;
  if (is_before_1_1(header)) return header_fault{problem::malformed_request, "HTTP/1.0 has no Transfer-Encoding"};
  if (std::next(first) == last && equals_ignoring_case(first->value(), "chunked")) return std::nullopt;
  return header_fault{problem::malformed_request, "the only Transfer-Encoding that is taken is chunked"};
}

// RFC 9112, section 3.2.
std::optional<header_fault> find_host_fault(const request_header& header) {
  const auto [first, last] = header.equal_range(http::field::host);
  if (first == last) {
    if (is_before_1_1(header)) return std::nullopt;
    return header_fault{problem::malformed_request, "an HTTP/1.1 request needs one Host header"};
  }
  if (std::next(first) != last) return header_fault{problem::malformed_request, "Host is given more than once"};
  if (is_host(first->value())) return std::nullopt;
  return header_fault{problem::malformed_request, "Host is not a host and perhaps a port"};
}

}  // namespace

std::optional<header_fault> find_fault(const request_header& header) {
  if (auto fault = find_framing_fault(header)) return fault;
  if (auto fault = find_host_fault(header)) return fault;
  // RFC 9110, section 10.1.1: HTTP/1.0 has no expectations.
  if (!is_before_1_1(header) &&
      any_member(header, http::field::expect, [](std::string_view each) { return !is_continue(each); })) {
    return header_fault{problem::expectation_failed, "the only expectation that is met is 100-continue"};
  }
  return std::nullopt;
}

std::optional<header_fault> find_body_fault(const request_header& header) {
  if (any_member(header, http::field::content_encoding,
                 [](std::string_view each) { return !equals_ignoring_case(each, "identity"); })) {
    return header_fault{problem::unsupported_media_type, "the body has a Content-Encoding, and none is taken"};
  }
  // RFC 9110, section 14.5. With other methods the field has no meaning.
  if (header.method() == http::verb::put && header.find(http::field::content_range) != header.end()) {
    return header_fault{problem::malformed_request, "Content-Range: a PUT takes a whole, no part of it"};
  }
  return std::nullopt;
}

void complete_refusal(response& refused, const header_fault& why) {
  if (why.which == problem::unsupported_media_type) {
    refused.add_header("Accept-Encoding", "identity");
  } else {
    refused.close = true;
  }
}

bool keeps_alive(const request_header& header) {
  return !has_option(header, "close") && (!is_before_1_1(header) || has_option(header, "keep-alive"));
}

bool expects_continue(const request_header& header) {
  return !is_before_1_1(header) && any_member(header, http::field::expect, is_continue);
}

}  // namespace ordem::http_edge
