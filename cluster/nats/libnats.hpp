// What the files of this folder share of libnats. For them alone: its types stay here.
#pragma once

#include <nats/nats.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "cluster/nats/nats_settings.hpp"
#include "engine/base/freed_by.hpp"

namespace ordem::cluster {

using nats_message_ptr = std::unique_ptr<natsMsg, freed_by<natsMsg_Destroy>>;
using nats_options_ptr = std::unique_ptr<natsOptions, freed_by<natsOptions_Destroy>>;

// The data of a message; valid as long as the message.
std::string_view data_of(const natsMsg* message) noexcept;
// A header of a message, or nullopt; valid as long as the message.
std::optional<std::string_view> header_of(natsMsg* message, const char* name) noexcept;
std::optional<std::uint64_t> number_of(std::string_view text) noexcept;
// What the server said by a status instead of data: 404, 503, ...; 0 for an ordinary message.
int status_of(natsMsg* message) noexcept;

// Returns "_INBOX.", a name that no other connection has, and a point.
std::string new_inbox_prefix();

struct connection_options {
  std::string name;
  bool keeps_trying = true;                           // see nats_connection_settings
  std::int64_t attempt_ms = 1000;                     // for one attempt at one server
  std::int64_t retry_ms = 50;                         // between two attempts
  std::function<void(std::string reason)> on_closed;  // see libnats_connection::open(); may be empty
};

// A connection and its state. Thread-safe but for open().
class libnats_connection {
 public:
  using state_function = std::function<void(bool up)>;

  libnats_connection() = default;
  // Closes it and waits until no function given here is called any more.
  ~libnats_connection();
  libnats_connection(const libnats_connection&) = delete;
  libnats_connection& operator=(const libnats_connection&) = delete;

  // Connects to one of the URLs, which are some of the settings'; called once. Blocks for one attempt at each. If the
  // connection is closed by itself later, for good, `on_closed` is called: libnats gives up a server that has refused
  // the user twice. The error is a sentence without secrets.
  tl::expected<void, std::string> open(const nats_settings& settings, std::span<const std::string> urls,
                                       connection_options options);

  // REQUIRES: open() has succeeded. A call of the library may block for a second while the connection is down.
  natsConnection* get() const noexcept { return connection_; }
  bool is_up() const noexcept { return up_.load(std::memory_order_acquire); }
  std::size_t payload_bytes_max() const noexcept { return payload_bytes_max_.load(std::memory_order_relaxed); }

  // Calls the function when the connection is established or lost, on a thread of the library, until remove_observer()
  // has returned. It must not block, nor add or remove observers.
  std::size_t add_observer(state_function on_state);
  void remove_observer(std::size_t number);

  // Takes over a subscription that has ended, to free it with the connection: the thread that reads from the server may
  // be about to look at it (nats.c #637, which the library has until 3.5.0). So a connection should see few of them.
  void free_later(natsSubscription* ended);

 private:
  static void on_connected(natsConnection* connection, void* self);
  static void on_disconnected(natsConnection* connection, void* self);
  static void on_closed(natsConnection* connection, void* self);
  void change_state(natsConnection* connection, bool up);

  natsConnection* connection_ = nullptr;
  std::atomic<bool> up_{false};
  std::atomic<std::size_t> payload_bytes_max_{0};
  std::function<void(std::string)> closed_function_;
  bool keeps_trying_ = true;
  std::mutex mutex_;
  std::condition_variable closed_;
  bool is_closed_ = false;
  bool is_closing_ = false;
  std::size_t changes_ = 0;
  std::size_t next_observer_ = 0;
  std::map<std::size_t, state_function> observers_;
  std::vector<natsSubscription*> ended_;
};

// No bound of the messages that wait for the function of a subscription: the caller bounds what can arrive.
inline constexpr int pending_unbounded = -1;

// A subscription whose messages go to a function, on a thread of the library, one after the other. Destroyed before its
// connection.
class libnats_subscription {
 public:
  using message_function = std::function<void(nats_message_ptr message)>;

  libnats_subscription() = default;
  // Unsubscribes and waits until the function is not called any more. Must not run in that function.
  ~libnats_subscription();
  libnats_subscription(const libnats_subscription&) = delete;
  libnats_subscription& operator=(const libnats_subscription&) = delete;

  // Called once. `pending_bytes_max`: of messages that wait for the function; beyond it messages are dropped.
  // Returns false if the connection is closed.
  bool open(libnats_connection& connection, const std::string& subject, int pending_bytes_max,
            message_function on_message);
  std::uint64_t dropped() const noexcept;

 private:
  static void on_message(natsConnection* connection, natsSubscription* subscription, natsMsg* message, void* self);
  static void on_complete(void* self);

  libnats_connection* connection_ = nullptr;
  natsSubscription* subscription_ = nullptr;
  message_function function_;
  std::mutex mutex_;
  std::condition_variable completed_;
  bool is_complete_ = false;
};

}  // namespace ordem::cluster
