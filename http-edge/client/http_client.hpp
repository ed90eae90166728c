// An HTTP client for one request to a running server. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace ordem::http_edge {

struct http_answer {
  unsigned status = 0;
  std::string body;
  std::string retry_after = {};  // the header Retry-After; empty without one
};

enum class scheme : std::uint8_t { http, https };

// Sends GET `target` on a new connection to the server that listens on `address`, an IP address as in server_settings;
// 0.0.0.0 and :: mean this machine. Returns a message if no complete response arrives within `timeout`. Blocks.
// By https no certificate is verified: a request of this program holds no secret, and a certificate that has just been
// replaced or has expired says nothing about the state of the server.
tl::expected<http_answer, std::string> http_get(scheme by, const std::string& address, std::uint16_t port,
                                                const std::string& target, std::chrono::milliseconds timeout);

}  // namespace ordem::http_edge
