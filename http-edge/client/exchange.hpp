// One request and its response on a connection of its own, for the clients in this room. Only for them.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <tl/expected.hpp>

#include "http-edge/client/http_client.hpp"

namespace ordem::http_edge {

struct server_target {
  std::string host;  // a name, or an address without the brackets of IPv6
  std::string port;
  bool uses_tls = false;
  bool verifies_certificate = true;  // whether it must be valid for `host`
  std::string ca_file = {};          // the authorities for that, as PEM; empty: those of the system
};

struct exchange_limits {
  std::size_t body_bytes_max = std::size_t{64} << 10;  // of the response
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
};

// The version of HTTP, as Beast counts.
inline constexpr unsigned http_1_1 = 11;
using client_request = boost::beast::http::request<boost::beast::http::string_body>;

// Connects to `to`, sends the request and returns the response. Returns a message if no complete response within the
// limits arrives, the authorities cannot be read, or `stop` is requested. Blocks. Thread-safe.
tl::expected<http_answer, std::string> exchange(const server_target& to, const client_request& request,
                                                const exchange_limits& limits, const std::stop_token& stop);

}  // namespace ordem::http_edge
