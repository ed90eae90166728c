// The result of checking the header of a request: everything that the handlers need from it once the body has arrived.
#pragma once

#include <optional>

#include "engine/model/ids.hpp"
#include "engine/model/origin.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

struct request_head {
  route to;
  std::optional<ordem::guid> guid;  // from Idempotency-Key, of a write of one order
  ordem::origin origin = {};        // of the identity that sent the request; empty without identities
  // Of a read of data: the client takes what this node has, be it behind (Ordem-Read: stale).
  bool is_stale_read = false;
  // Whether the request has to pass the read gate before it is handled.
  bool is_gated = false;
};

}  // namespace ordem::http_edge
