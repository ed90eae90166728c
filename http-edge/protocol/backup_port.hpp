// How the calls of /-/backup reach the back-ups of the server. Implemented in app/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/codec/problem.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

namespace ordem::http_edge {

enum class backup_status : std::uint8_t { none, running, made, failed };

// The back-up that was begun last. Times are of the machine's clock.
struct backup_state {
  backup_status status = backup_status::none;
  std::string folder;  // where it is, or will be
  timestamp began_at;
  timestamp ended_at;              // of one that is made or has failed
  std::uint64_t bytes = 0;         // of the files that are done
  std::uint64_t bytes_linked = 0;  // of one that is made: those shared with the data folder
  std::uint64_t files = 0;
  position last;       // of one that is made
  std::string reason;  // of one that has failed
};

struct backup_refusal {
  codec::problem which = codec::problem::backup_refused;
  std::string detail;
};

class backup_port {
 public:
  virtual ~backup_port() = default;
  // Begins a back-up on a thread of its own, and returns its state. `to` is the name of its folder, or the folder's
  // path. Thread-safe; does not wait for the back-up. REQUIRES: the service is not recovering.
  virtual tl::expected<backup_state, backup_refusal> begin(std::string_view to) = 0;
  // Thread-safe.
  virtual backup_state state() const = 0;
};

}  // namespace ordem::http_edge
