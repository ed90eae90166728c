// A connection to any one of the servers of NATS, which moves on to another when it is lost. For reads of the stream,
// for messages between nodes and for the stream's settings; appends have connections of their own (log_link.hpp).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cluster/nats/nats_settings.hpp"

namespace ordem::cluster {

struct nats_connection_settings {
  nats_settings nats;
  std::string connection_name;  // shown by the servers
  // Whether a connection that cannot be made at once is tried again, for ever; else connect() fails.
  bool keeps_trying = true;
  // Called when the connection is established or lost after connect() has returned, on a thread of the library; must
  // not block. May be empty.
  std::function<void(bool up)> on_state;
  // Called when the connection will not come up again by itself, since a server has refused the user twice; likewise.
  // All that uses the connection is then to be made anew, after a while. The reason is without secrets.
  std::function<void(std::string reason)> on_closed;
};

// Why the servers did not do what they were asked.
struct nats_failure {
  std::string text;  // a sentence
  // Servers are missing, do not know each other yet or have no leader: to be tried again.
  bool may_pass = false;
};

class libnats_connection;  // cluster/nats/libnats.hpp, for cluster/nats alone

// Thread-safe. Outlives all that use it.
class nats_connection {
 public:
  // Blocks for one attempt at each server, 2 s each at most, also if it keeps trying. The error is a sentence without
  // secrets; it names a file that cannot be used, and else what the last server said.
  static tl::expected<std::unique_ptr<nats_connection>, std::string> connect(nats_connection_settings settings);
  ~nats_connection();
  nats_connection(const nats_connection&) = delete;
  nats_connection& operator=(const nats_connection&) = delete;

  bool is_up() const noexcept;
  // The largest message that the server takes, in bytes; 0 before the first connection.
  std::size_t payload_bytes_max() const noexcept;

  // Sends a request and blocks for its answer. Fails if there is none within `timeout`, no responder, or no connection.
  tl::expected<std::string, nats_failure> request(const std::string& subject, std::string_view body,
                                                  std::chrono::milliseconds timeout);

  libnats_connection& library() noexcept { return *library_; }

 private:
  explicit nats_connection(std::unique_ptr<libnats_connection> library);
  std::unique_ptr<libnats_connection> library_;
};

}  // namespace ordem::cluster
