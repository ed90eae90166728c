// Points in time and where they come from. The engine itself has no clock: time goes in as a value.
#pragma once

#include <chrono>
#include <string>

namespace ordem {

using milliseconds = std::chrono::milliseconds;

// UTC, milliseconds since 1970-01-01; orders carry nothing finer.
using timestamp = std::chrono::sys_time<milliseconds>;

// A source of the current time. now() may be called from any thread.
class time_source {
 public:
  virtual ~time_source() = default;
  virtual timestamp now() const noexcept = 0;
};

// RFC 3339 with milliseconds and Z, "2026-11-22T10:15:30.123Z".
// The year must be in 0..9999, as it is in every timestamp that Ordem makes.
std::string to_rfc3339(timestamp at);
void append_rfc3339(std::string& out, timestamp at);

}  // namespace ordem
