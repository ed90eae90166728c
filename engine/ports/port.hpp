// What the edge calls: messages in, answers out, and reads of committed state. actors/gateway and storage/ implement
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "engine/model/capture.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/message.hpp"
#include "engine/model/outcome.hpp"

namespace ordem {

// Who waits for an answer: a queue (an I/O thread's place where answers are handed in) and that queue's own number for
// it.
struct request_token {
  std::uint32_t queue = 0;
  std::uint32_t number = 0;
};

using engine_request = std::variant<message, capture_request>;

struct submission {
  ordem::request_token token;
  engine_request request;
};

struct reply {
  ordem::request_token token;
  ordem::answer answer;
};

// Where one I/O thread gets its answers.
class completion_queue {
 public:
  virtual ~completion_queue() = default;
  // Called from any thread; must neither block for long nor throw. All replies carry this queue's number.
  virtual void deliver(std::vector<reply>&& replies) noexcept = 0;
};

// Executes messages and what is asked of captures. Every submission is answered exactly once, at the queue that its
// token names.
class message_port {
 public:
  virtual ~message_port() = default;
  // Any thread, which may decide the messages itself before this returns, and for that wait for a read from the disk,
  // but for no other message and no write. What can't be taken is answered with an unavailability.
  virtual void submit(std::vector<submission>&& submissions) = 0;
};

// How far the log has come.
struct log_positions {
  position decided;                   // of the last entry that was given a place
  position durable;                   // of the last entry that is on the disk
  std::optional<position> persisted;  // of the last entry that Postgres holds; absent without it or while unknown
};

enum class read_error : std::uint8_t { storage_failed };

template <class Value>
using read_result = tl::expected<Value, read_error>;

// Reads of committed captures, as order_reader.
class capture_reader {
 public:
  virtual ~capture_reader() = default;
  // The capture with that key, if there is one that is kept at `now`; else null.
  virtual read_result<shared_capture> find_capture(const capture_key& key, const clock_reading& now) const = 0;
};

// Orders that are read one by one, all from one state of the data. One thread at a time; not to outlive its reader.
class order_list {
 public:
  virtual ~order_list() = default;
  // Null after the last one. May block for a read from disk. Not to be called again after an error.
  virtual read_result<shared_order> next() = 0;
};

// Reads of committed state: nothing shows here before it is durable. Any thread; may block for a read from disk.
class order_reader {
 public:
  virtual ~order_reader() = default;

  // The position of the last log entry that reads show; everything answered so far stands at or before it.
  virtual position visible() const noexcept = 0;

  // The order as it is now; null if there is none.
  virtual read_result<shared_order> find_order(order_id id) const = 0;
  // Returns the order if that takes no read from the disk, else nullopt: then find_order() tells.
  virtual std::optional<shared_order> find_cached_order(order_id id) const = 0;
  // The order as it was at that version; null if there is no such order or version.
  virtual read_result<shared_order> find_version(order_id id, version which) const = 0;
  // The versions of the order, newest first, beginning below `before` (absent: with the current one).
  virtual std::unique_ptr<order_list> list_versions(order_id id, std::optional<version> before) const = 0;
  // The orders of that customer, newest first, beginning after (older than) `after`.
  virtual std::unique_ptr<order_list> list_orders(std::string_view customer_id,
                                                  std::optional<order_id> after) const = 0;
  // The message with that GUID, if there is one that has not expired at `now`.
  virtual read_result<std::optional<message_record>> find_message(const guid& id, const clock_reading& now) const = 0;
};

}  // namespace ordem
