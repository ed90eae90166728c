// Messages between nodes that NATS does not store: to all who subscribe to a subject, or a request that one answers.
// They may be lost, and a request may be executed without its answer coming back.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/nats/nats_connection.hpp"

namespace ordem::cluster {

struct core_message {
  std::string subject;
  std::string reply_to;  // empty: no answer is wanted
  std::string body;
};

// Requests that wait for their answers, at once; beyond it a request fails.
inline constexpr std::size_t core_requests_max = 4096;
// Bytes of messages of one subscription that wait for its handler; beyond it they are dropped and counted.
inline constexpr std::size_t core_pending_bytes_max = std::size_t{64} << 20;

// Thread-safe. Nothing is sent while the connection is down.
class core_messages {
 public:
  // REQUIRES: `connection` outlives it.
  explicit core_messages(nats_connection& connection);
  // Requests that wait fail. No handler is called afterwards.
  ~core_messages();
  core_messages(const core_messages&) = delete;
  core_messages& operator=(const core_messages&) = delete;

  // Calls `handler` for each message, on one thread of the library, one after the other, until the destructor. Returns
  // false if the connection has been closed for good. The subscription survives the loss of a connection.
  bool subscribe(const std::string& subject, std::function<void(core_message&&)> handler);

  // Returns false if the message was not sent for sure.
  bool publish(const std::string& subject, std::string_view body);

  // Sends a request. `done` is called exactly once, on any thread, perhaps before this returns: with the first answer,
  // or with nullopt if none came within `timeout`, the subject has no subscriber, or the connection is down or was
  // lost.
  void request(const std::string& subject, std::string_view body, std::chrono::milliseconds timeout,
               std::function<void(std::optional<std::string>)> done);

  // Messages that were dropped because their handler was too slow.
  std::uint64_t dropped() const noexcept;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace ordem::cluster
