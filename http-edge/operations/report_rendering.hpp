// The responses to /-/state and /-/settings. Pure functions; thread-safe.
#pragma once

#include "http-edge/protocol/report_port.hpp"
#include "http-edge/protocol/response.hpp"
#include "http-edge/protocol/service_status.hpp"

namespace ordem::http_edge {

// Returns the name of the state as in /-/ready: "recovering", "ready", "no-owner", "read-only",
// "draining".
std::string_view to_string(service_state what) noexcept;

// Returns {"status", "version", "started_at", "write_failure", "postgres", "cluster"}; a failure is {"since",
// "reason"}, or null. `postgres` is {"failure"}, or null if the log is not replicated to it; `cluster` has the members
// of cluster_report, or is null without a cluster.
response state_response(const server_report& what, std::string_view version, service_state now);
// Returns {"version", "settings": [{"name", "value"}, ...]}.
response settings_response(const report_port& of);

}  // namespace ordem::http_edge
