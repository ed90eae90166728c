// What the HTTP server may be told. Checked in app/settings; each knob with its default, its unit and what more of it
// costs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/limits.hpp"

namespace ordem::http_edge {

struct server_settings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one
  // Threads that serve connections, each with its own event loop. More than cores gain nothing.
  std::uint32_t io_threads = 2;
  // A larger body is answered 413; of a batch, a larger line. Bounds the memory that one request may take.
  std::size_t body_bytes_max = std::size_t{1} << 20;
  // A larger response is not captured: 413. What it takes: see bytes_of() in engine/model/capture.hpp. The body of such
  // a call may be as large as JSON can make it, so that this, not body_bytes_max, bounds the memory that one may take.
  std::size_t captured_bytes_max = std::size_t{1} << 20;
  // Bodies that have not been answered yet, of all connections together, and what else is read ahead of them; beyond it
  // a request is answered 503. What of a connection's is small is not counted (see memory_budget).
  std::size_t body_memory_bytes_max = std::size_t{256} << 20;
  // Answers that their clients have not taken yet, of all connections together; beyond it a request is answered 503,
  // and a batch waits.
  std::size_t response_memory_bytes_max = std::size_t{256} << 20;
  // A longer request line and header is answered 431.
  std::size_t header_bytes_max = std::size_t{16} << 10;
  // One more connection is answered 503 and closed. An idle one costs about 6 KiB.
  std::size_t connections_max = 16'384;
  // Beyond connections_max, so many at once are answered; more are closed without a word.
  std::size_t refused_at_once_max = 256;
  // A connection without a request is closed after this.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);
  // From the first byte of a request to its last, else 408; and from the first byte of an answer to its last, else it
  // is closed. Of a batch, the time without a byte of either.
  std::chrono::milliseconds request_timeout = std::chrono::seconds(30);
};

// The largest body of a call of captures: a response at its bound whose bytes are all escaped, and something around it.
// The answer that gives the response back is no larger.
inline std::size_t capture_body_bytes_max(const server_settings& settings) noexcept {
  constexpr std::size_t around = std::size_t{64} << 10;
  return settings.captured_bytes_max * limits::json_bytes_per_byte_max + around;
}

}  // namespace ordem::http_edge
