// A client for one request to a URL. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "http-edge/client/http_client.hpp"

namespace ordem::http_edge {

// Sends GET to a URL, https://HOST[:PORT]/PATH[?QUERY], on a new connection with TLS 1.2 or 1.3, and blocks until the
// response is complete. The server's certificate must be valid for the host by the system's store of authorities
// (OpenSSL's; SSL_CERT_FILE names another one). Redirects are not followed. Returns a message if no complete response
// of at most so many bytes arrives within `timeout`, or once `stop` is requested. The search for the host's address, by
// the system, is not cut off by either.
tl::expected<http_answer, std::string> https_get(const std::string& url, std::size_t body_bytes_max,
                                                 std::chrono::milliseconds timeout, const std::stop_token& stop);

// A request by http or https.
struct url_request {
  std::string url;     // http://HOST[:PORT]/PATH[?QUERY], or https
  bool posts = false;  // POST with `body`, else GET
  std::string body;
  std::string content_type = "application/json";                  // of the body
  std::vector<std::pair<std::string, std::string>> headers = {};  // further ones, names and values
  std::string bearer;                                             // for Authorization, if it is not empty
  std::string ca_file;  // the authorities for https, as PEM, in place of the system's; empty: those
  std::size_t body_bytes_max = std::size_t{64} << 10;  // of the response
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
};

// As https_get(), for such a request. Returns a message if the authorities cannot be read, too.
tl::expected<http_answer, std::string> send(const url_request& what, const std::stop_token& stop = {});

// Returns whether a secret may be sent to the URL: it is https, or names a loopback address or localhost.
bool keeps_secrets(const std::string& url);

}  // namespace ordem::http_edge
