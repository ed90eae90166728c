// What each node sends to all others every 300 ms: a hint about who owns the log and how far each node is. Nothing that
// must be true depends on it. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model/ids.hpp"

namespace ordem::cluster {

// Do not renumber: heartbeats and the status of nodes of other versions have these numbers.
enum class node_role : std::uint8_t {
  joining = 1,   // has not yet read the log to its end; or reads it, and will not claim it since the process ends
  standby = 2,   // applies the log as it reads it
  claiming = 3,  // has appended, or tried to append, its EPOCH record
  owner = 4,     // decides
  stopped = 5,   // the log lost records, or cannot be read: see stop_reason
};

// Returns "joining", "standby", ...
std::string_view to_string(node_role role) noexcept;

struct heartbeat {
  std::string node;
  std::uint64_t nonce = 0;  // of the process
  node_role role = node_role::joining;
  std::uint64_t epoch = 0;      // the last one that the node has read
  std::uint64_t sequence = 0;   // of the last live record that the node has read
  std::uint64_t hash = 0;       // of that record
  position applied;             // of the last entry in it or before it
  std::string owner;            // of the epoch; empty if no node owns the log
  std::string http_address;     // of the node; empty if unknown
  std::string program_version;  // of the node
  friend bool operator==(const heartbeat&, const heartbeat&) = default;
};

// REQUIRES: texts of at most 255 bytes.
std::string encode_heartbeat(const heartbeat& what);
// Returns nullopt for anything that encode_heartbeat() does not make. Members that a later version adds are skipped.
std::optional<heartbeat> decode_heartbeat(std::string_view bytes);

}  // namespace ordem::cluster
