// The settings of the HTTP server, each with its default, its unit and the cost of a larger value. Checked in
// app/settings.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/limits.hpp"
#include "http-edge/access/settings.hpp"
#include "http-edge/protocol/listener.hpp"

namespace ordem::http_edge {

// TLS of the listeners; see uses_tls(). All files are PEM.
struct tls_settings {
  std::string certificate_file;  // with the certificates of the authorities between it and the root, in this order
  std::string key_file;
  // The authorities whose client certificates are accepted. Empty: no client is asked for a certificate.
  std::string client_ca_file;

  bool enabled() const noexcept { return !certificate_file.empty(); }
};

struct server_settings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one
  // Listeners for a part of the resources, see serves() in listener.hpp. Without a port there is none.
  std::string operations_address = "127.0.0.1";
  std::optional<std::uint16_t> operations_port;
  std::string captures_address = "127.0.0.1";
  std::optional<std::uint16_t> captures_port;
  tls_settings tls;
  // Threads that serve connections, each with its own event loop. More than cores gain nothing.
  std::uint32_t io_threads = 2;
  // A larger body gets 413; of a batch, a larger line. Bounds the memory of one request.
  std::size_t body_bytes_max = std::size_t{1} << 20;
  // A larger response is not captured: 413. Its size is that of bytes_of() in engine/model/capture.hpp. The body of the
  // call may be as large as JSON can make such a response, so this setting, not body_bytes_max, bounds its memory.
  std::size_t captured_bytes_max = std::size_t{1} << 20;
  // The memory for the bodies of unanswered requests and for other received bytes, of all connections together. Beyond
  // it a request gets 503. Small buffers are not counted (see memory_budget).
  std::size_t body_memory_bytes_max = std::size_t{256} << 20;
  // The memory for responses that clients have not read yet, of all connections together. Beyond it a request gets 503,
  // and a batch waits.
  std::size_t response_memory_bytes_max = std::size_t{256} << 20;
  // A longer request line and header gets 431.
  std::size_t header_bytes_max = std::size_t{16} << 10;
  // A connection beyond this number gets 503 and is closed. An idle connection costs about 6 KiB.
  std::size_t connections_max = 16'384;
  // The same for the connections of one client address, of which an IPv6 network of 64 bits is one. 0: no bound.
  std::size_t connections_per_address_max = 0;
  // The number of connections beyond these bounds that get 503 at the same time. Further ones are closed without a
  // response.
  std::size_t refused_at_once_max = 256;
  // The messages under way, of all I/O threads together, up to which none is refused for its delay (admission_control).
  // `serve` makes it three quarters of --max-in-flight.
  std::size_t patient_messages_max = 6144;
  // Reads that wait for the read gate of a cluster, of all I/O threads together; more get 503. Each holds a connection.
  std::size_t waiting_reads_max = 8192;
  // Readers of the change feed at once; more get 503. Each may hold about 64 KiB, and a connection.
  std::size_t feed_readers_max = 1024;
  // A connection without a request is closed after this.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);
  // The time from the first byte of a request to its last, else 408, and from the first byte of a response to its last,
  // else the connection is closed. For a batch, the time without a byte in either direction.
  std::chrono::milliseconds request_timeout = std::chrono::seconds(30);
  // Names, and the bounds of tenants.
  access_settings access;
};

// Returns whether only this machine can connect to a server that listens on the IP address.
bool is_loopback(const std::string& address);

// Where one listener listens.
struct endpoint_settings {
  listener_kind kind = listener_kind::main;
  std::string address;
  std::uint16_t port = 0;
};

// Returns the endpoints of the listeners that the settings ask for, that of the main one first.
std::vector<endpoint_settings> endpoints_of(const server_settings& settings);

// Returns whether connections to the endpoint use TLS: all do if there is a certificate, but for operations on a
// loopback address, where a scraper on the same machine needs none.
bool uses_tls(const server_settings& settings, const endpoint_settings& at);

// Returns the largest body of a call of captures: a response of the largest size, with all bytes escaped, and the
// members around it. The response that returns a capture is no larger.
inline std::size_t capture_body_bytes_max(const server_settings& settings) noexcept {
  constexpr std::size_t around = std::size_t{64} << 10;
  return settings.captured_bytes_max * limits::json_bytes_per_byte_max + around;
}

}  // namespace ordem::http_edge
