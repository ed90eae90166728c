// The HTTP server: listeners that distribute connections over I/O threads. Serves the /-/ endpoints from start(), and
// everything else once attach_engine() has been called and the service status has left `recovering`. Owned by app/; its
// functions must be called by one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "auth/authenticator.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/change_reader.hpp"
#include "engine/ports/engine_port.hpp"
#include "engine/ports/read_gate.hpp"
#include "engine/ports/readers.hpp"
#include "engine/ports/tracing.hpp"
#include "http-edge/access/access_control.hpp"
#include "http-edge/protocol/backup_port.hpp"
#include "http-edge/protocol/report_port.hpp"
#include "http-edge/protocol/request_log.hpp"
#include "http-edge/protocol/service_status.hpp"
#include "http-edge/server/edge_counters.hpp"
#include "http-edge/server/settings.hpp"

namespace ordem::http_edge {

struct server_parts {
  const time_source* clock = nullptr;
  service_status* status = nullptr;
  std::function<std::string()> metrics_text;  // Prometheus text; called on I/O threads
  std::function<log_positions()> positions;   // called on I/O threads, not before attach_engine()
  // Called on an I/O thread with the reason when accepting fails, unless it failed the last time too. The server goes
  // on trying.
  std::function<void(const std::string&)> on_accept_failure = [](const std::string&) {};
  // Requests that are not authorised.
  denial_lines on_denial = {};
  // Where requests are logged, or null.
  http_edge::request_log* request_log = nullptr;
  // Samples requests and takes their spans; null if there are none.
  ordem::tracer* tracer = nullptr;
  // Makes the authenticator of one I/O thread; called once for each of them by the constructor. Null: there are no
  // identities, and every request is authorised.
  std::function<std::unique_ptr<auth::authenticator>()> make_authenticator = nullptr;
  backup_port* backups = nullptr;        // not called before attach_engine()
  const report_port* reports = nullptr;  // outlives the server
};

class server {
 public:
  // The pointers in `connected` must outlive the server.
  server(server_settings settings, server_parts connected);
  ~server();

  server(const server&) = delete;
  server& operator=(const server&) = delete;

  // Reads the files of TLS again, as they are now, for new connections; start() has read them before. Returns a message
  // if one cannot be used, and keeps what was in use. Thread-safe. REQUIRES: settings.tls.enabled().
  tl::expected<void, std::string> reload_tls();

  // Reads the files of TLS, binds the addresses and starts the threads. Returns a message if that fails.
  tl::expected<void, std::string> start();
  // Returns where the server listens, the main listener first. REQUIRES: start() was successful.
  std::vector<endpoint_settings> listeners() const;

  // Connects the engine. `add_queue` registers the queue of an I/O thread and returns its number.
  // `gate` is asked before reads of data and outlives the server, or is null if all reads are linearizable.
  // REQUIRES: called once, before the status leaves `recovering`.
  void attach_engine(const order_reader& orders, const change_reader& changes, const capture_reader& captures,
                     message_port& messages, const std::function<std::uint32_t(completion_queue&)>& add_queue,
                     read_gate* gate = nullptr);
  // Entries have become visible: the change feed goes on. Cheap without readers. Thread-safe.
  void on_visible() noexcept;

  // Stops accepting connections, apart from those that the kernel has accepted already. Requests that arrive on open
  // connections are answered, with `Connection: close`; connections that stay idle for a moment are closed. Returns
  // when that holds for all connections. REQUIRES: start() was successful.
  void begin_drain();
  // Blocks until no connection is open, and returns false if that takes longer than `timeout`. Shortly before the
  // timeout, requests that have not arrived completely get 503. REQUIRES: begin_drain() was called.
  bool finish_drain(std::chrono::milliseconds timeout);
  // Closes the remaining connections and joins the threads.
  void stop();

  const edge_counters& counters() const noexcept;
  // Returns how many entries the change feed is behind what is visible; 0 without a reader. Thread-safe.
  std::uint64_t feed_lag() const noexcept;
  // Returns how many entries the slowest stream of the feed is behind what is visible; 0 without one. Thread-safe.
  std::uint64_t feed_slowest_lag() const;
  // Returns the counts of denied requests and of tenants.
  const access_state& access() const noexcept;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace ordem::http_edge
