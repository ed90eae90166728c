// An HTTPS client for one request. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <tl/expected.hpp>

#include "http-edge/client/http_client.hpp"

namespace ordem::http_edge {

// Sends GET to a URL, https://HOST[:PORT]/PATH[?QUERY], on a new connection with TLS 1.2 or 1.3, and blocks until the
// response is complete. The server's certificate must be valid for the host by the system's store of authorities
// (OpenSSL's; SSL_CERT_FILE names another one). Redirects are not followed. Returns a message if no complete response
// of at most so many bytes arrives within `timeout`, or once `stop` is requested. The search for the host's address, by
// the system, is not cut off by either.
tl::expected<http_answer, std::string> https_get(const std::string& url, std::size_t body_bytes_max,
                                                 std::chrono::milliseconds timeout, const std::stop_token& stop);

}  // namespace ordem::http_edge
