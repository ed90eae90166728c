// The HTTP server: a listener that deals connections out to I/O threads. Serves /-/ endpoints from start(); everything
// else once attach_engine() has told it what to serve and the service status is no longer `recovering`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "engine/model/time.hpp"
#include "engine/ports/port.hpp"
#include "http-edge/protocol/service_status.hpp"
#include "http-edge/server/edge_counters.hpp"
#include "http-edge/server/settings.hpp"

namespace ordem::http_edge {

struct server_parts {
  const time_source* clock = nullptr;
  service_status* status = nullptr;
  std::function<std::string()> metrics_text;  // Prometheus text format; called on I/O threads
  std::function<log_positions()> positions;   // the same, but not before attach_engine()
  // Told why, when connections can't be accepted and the last one could; it is tried again. On an I/O thread.
  std::function<void(const std::string&)> on_accept_failure = [](const std::string&) {};
};

class server {
 public:
  // All that is given by pointer must outlive the server.
  server(server_settings settings, server_parts given);
  ~server();

  server(const server&) = delete;
  server& operator=(const server&) = delete;

  // Binds the address and starts the threads. A sentence if that is not possible.
  tl::expected<void, std::string> start();
  // The port that it listens on.
  std::uint16_t port() const noexcept;

  // Called once. `add_queue` gives each I/O thread's queue its number. The status must
  // leave `recovering` only after it.
  void attach_engine(const order_reader& orders, message_port& messages,
                     const std::function<std::uint32_t(completion_queue&)>& add_queue);

  // Takes no more connections, but for those that the kernel has accepted already. Every request that comes on an open
  // one is answered, and the answer says that the connection ends; connections that have had no request for a moment
  // are closed. Waits for the last to end; false if that takes longer than `timeout`, shortly before which requests
  // that have not come whole are answered 503.
  bool drain(std::chrono::milliseconds timeout);
  // Ends what is left. No queue is called after it.
  void stop();

  const edge_counters& counters() const noexcept;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace ordem::http_edge
