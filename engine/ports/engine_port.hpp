// Writes, as the edge sees them: submissions go in through a message_port, replies come back through a
// completion_queue. The gateway (actors/gateway.hpp) implements the port, an I/O thread its queue.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "engine/model/capture.hpp"
#include "engine/model/message.hpp"
#include "engine/model/outcome.hpp"
#include "engine/ports/tracing.hpp"

namespace ordem {

// Names a completion queue and the entry of the waiting request in it.
struct request_token {
  std::uint32_t queue = 0;
  std::uint32_t number = 0;
};

using engine_request = std::variant<message, capture_request>;

struct submission {
  ordem::request_token token;
  engine_request request;
  shared_trace trace = nullptr;  // null if the request is not sampled
};

struct reply {
  ordem::request_token token;
  ordem::answer answer;
};

// Receives the replies of one I/O thread.
class completion_queue {
 public:
  virtual ~completion_queue() = default;
  // Takes replies to requests of this queue. Thread-safe; must not block for long.
  virtual void deliver(std::vector<reply>&& replies) noexcept = 0;
};

// Executes messages and calls of captures. Every submission gets exactly one reply, at the queue that its token names.
class message_port {
 public:
  virtual ~message_port() = default;
  // Thread-safe. May decide the messages on the calling thread before it returns, and block for a read from disk, but
  // never for another message or a write. A submission that can't be taken gets an unavailability as its reply.
  virtual void submit(std::vector<submission>&& submissions) = 0;
};

}  // namespace ordem
