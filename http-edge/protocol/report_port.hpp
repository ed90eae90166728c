// How the calls of /-/state and /-/settings learn what the server knows about itself. Implemented in app/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

namespace ordem::http_edge {

// A failure that lasts: when it began, by the machine's clock, and its latest reason.
struct lasting_failure {
  timestamp since;
  std::string reason;
  friend bool operator==(const lasting_failure&, const lasting_failure&) = default;
};

// A node of a cluster.
struct cluster_report {
  std::string name = {};  // of the cluster
  std::string node = {};
  std::string role = {};  // "joining", "standby", "claiming", "owner" or "stopped"
  std::uint64_t epoch = 0;
  std::string owner = {};            // a node, or empty: none is known
  std::string owner_address = {};    // of its HTTP; empty if unknown
  std::uint64_t sequence = 0;        // of the last record of the stream that was read
  position applied = {};             // what reads of this node show
  bool is_connected = false;         // to NATS
  std::string stopped_because = {};  // empty while the node reads the log
  friend bool operator==(const cluster_report&, const cluster_report&) = default;
};

struct server_report {
  timestamp started_at;
  // Why the log cannot be written; absent while it can.
  std::optional<lasting_failure> write_failure = std::nullopt;
  // Whether the log is replicated to Postgres.
  bool has_postgres = false;
  // Why entries cannot be written to Postgres; absent while they can.
  std::optional<lasting_failure> postgres_failure = std::nullopt;
  // Absent without a cluster, and until the node has begun to read the log.
  std::optional<cluster_report> cluster = std::nullopt;
};

// Names and values, in their order.
using setting_list = std::vector<std::pair<std::string, std::string>>;

// Thread-safe. Outlives the server.
class report_port {
 public:
  virtual ~report_port() = default;
  virtual server_report report() const = 0;
  virtual std::string_view version() const noexcept = 0;
  // Returns every setting with the value in effect. Passwords are masked. It never changes.
  virtual const setting_list& settings() const noexcept = 0;
};

}  // namespace ordem::http_edge
