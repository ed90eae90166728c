// Requests to the node that owns the log, and what its answers say of it. Implemented over NATS by the node, by a fake
// in tests.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

namespace ordem::cluster {

// The last part of the subject of a request.
inline constexpr std::string_view submit_subject = "submit";
inline constexpr std::string_view read_index_subject = "read-index";

// Thread-safe.
class peer_transport {
 public:
  virtual ~peer_transport() = default;
  // Sends a request to the present owner. Calls `done` exactly once: with the answer, or with nullopt if none came
  // within `timeout` or the connection failed. With nullopt the request may have been executed, and may be later.
  // `done` is called on any thread, perhaps before request() returns; it must not block. Must not block.
  virtual void request(std::string_view subject_suffix, std::string body, milliseconds timeout,
                       std::function<void(std::optional<std::string>)> done) = 0;
  // Another node has said that the owner shows everything up to that position: see node_core::on_visible(). Called on
  // any thread; must not block.
  virtual void note_visible(position visible) = 0;
};

}  // namespace ordem::cluster
