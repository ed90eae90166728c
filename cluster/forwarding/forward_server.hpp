// The owner's side of forwarding: executes the submissions that other nodes send. A request that arrives twice is
// executed once, and answered with what the first one got; the answers are kept until the sender has them. Owned by the
// node, which hands it requests with submit_subject whether it owns the log or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/forwarding/forwarding_port.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/engine_port.hpp"

namespace ordem::cluster {

struct forward_server_settings {
  // Requests and their bytes that are being executed; more are answered `overloaded`.
  std::size_t requests_max = 1024;
  std::size_t bytes_max = std::size_t{64} << 20;
  // Of one answer; at most what NATS takes as a message.
  std::size_t answer_bytes_max = std::size_t{3} << 20;
  // Answers that are kept for a repeat, their bytes, and how long. Beyond it the oldest are forgotten, and a repeat is
  // executed again, as a repeat of the same GUIDs by the client.
  std::size_t kept_answers_max = 4096;
  std::size_t kept_bytes_max = std::size_t{32} << 20;
  milliseconds kept_for = milliseconds(10'000);
};

// Thread-safe.
class forward_server final : public completion_queue {
 public:
  // `port` must outlive it. `visible` returns the position of this node's view, `epoch` the epoch of the owner that
  // this node knows; both are called on any thread. Registers its queue with the port, so it is made before attach().
  forward_server(forward_server_settings settings, forwarding_port& port, std::function<position()> visible,
                 std::function<std::uint64_t()> epoch, milliseconds now);
  ~forward_server() override;

  // Calls `respond` at most once, with the body of the answer, on any thread, perhaps before handle() returns.
  void handle(std::string_view body, std::function<void(std::string)> respond);
  // Called at intervals of about a second or less: forgets answers.
  void on_tick(milliseconds now);

  void deliver(std::vector<reply>&& replies) noexcept override;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace ordem::cluster
