// How the calls of /-/state and /-/settings learn what the server knows about itself. Implemented in app/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model/time.hpp"

namespace ordem::http_edge {

// A failure that lasts: when it began, by the machine's clock, and its latest reason.
struct lasting_failure {
  timestamp since;
  std::string reason;
  friend bool operator==(const lasting_failure&, const lasting_failure&) = default;
};

struct server_report {
  timestamp started_at;
  // Why the log cannot be written; absent while it can.
  std::optional<lasting_failure> write_failure = std::nullopt;
  // Whether the log is replicated to Postgres.
  bool has_postgres = false;
  // Why entries cannot be written to Postgres; absent while they can.
  std::optional<lasting_failure> postgres_failure = std::nullopt;
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
