// One question to a running server, over a connection of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace ordem::http_edge {

struct http_answer {
  unsigned status = 0;
  std::string body;
};

// GET `target` from the server that listens on `address`, an IP address as in server_settings; 0.0.0.0 and ::, which
// are all addresses to who listens, are this machine to who asks. A sentence if no whole answer has come within
// `timeout`. Blocks; any thread.
tl::expected<http_answer, std::string> http_get(const std::string& address, std::uint16_t port,
                                                const std::string& target, std::chrono::milliseconds timeout);

}  // namespace ordem::http_edge
