#include "http-edge/operations/report_rendering.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/json_pieces.hpp"
#include "engine/model/json_value.hpp"

namespace ordem::http_edge {
namespace {

// Appends "name":
void append_name(std::string& out, std::string_view name) {
  out += '"';
  out += name;
  out += "\":";
}

void append_text_member(std::string& out, std::string_view name, std::string_view value) {
  append_name(out, name);
  append_json_string(out, value);
}

void append_time_member(std::string& out, std::string_view name, timestamp at) {
  append_name(out, name);
  codec::append_time(out, at);
}

void append_text_or_null(std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty()) return append_text_member(out, name, value);
  append_name(out, name);
  out += "null";
}

void append_number_member(std::string& out, std::string_view name, std::uint64_t value) {
  append_name(out, name);
  append_number(out, value);
}

void append_cluster(std::string& out, const cluster_report& what) {
  out += '{';
  append_text_member(out, "name", what.name);
  out += ',';
  append_text_member(out, "node", what.node);
  out += ',';
  append_text_member(out, "role", what.role);
  out += ',';
  append_number_member(out, "epoch", what.epoch);
  out += ',';
  append_text_or_null(out, "owner", what.owner);
  out += ',';
  append_text_or_null(out, "owner_address", what.owner_address);
  out += ',';
  append_number_member(out, "sequence", what.sequence);
  out += ',';
  append_number_member(out, "position", what.applied.number);
  out += what.is_connected ? ",\"connected\":true," : ",\"connected\":false,";
  append_text_or_null(out, "stopped", what.stopped_because);
  out += '}';
}

void append_failure(std::string& out, const std::optional<lasting_failure>& what) {
  if (!what) {
    out += "null";
    return;
  }
  out += '{';
  append_time_member(out, "since", what->since);
  out += ',';
  append_text_member(out, "reason", what->reason);
  out += '}';
}

}  // namespace

std::string_view to_string(service_state what) noexcept {
  switch (what) {
    case service_state::recovering: return "recovering";
    case service_state::ready: return "ready";
    case service_state::no_owner: return "no-owner";
    case service_state::read_only: return "read-only";
    case service_state::draining: return "draining";
  }
  ORDEM_CHECK(false && "a state outside its enumeration");
  return {};
}

response state_response(const server_report& what, std::string_view version, service_state now) {
  std::string body = "{";
  append_text_member(body, "status", to_string(now));
  body += ',';
  append_text_member(body, "version", version);
  body += ',';
  append_time_member(body, "started_at", what.started_at);
  body += ",\"write_failure\":";
  append_failure(body, what.write_failure);
  body += ",\"postgres\":";
  if (what.has_postgres) {
    body += "{\"failure\":";
    append_failure(body, what.postgres_failure);
    body += '}';
  } else {
    body += "null";
  }
  body += ",\"cluster\":";
  if (what.cluster) {
    append_cluster(body, *what.cluster);
  } else {
    body += "null";
  }
  body += '}';
  return json_response(200, std::move(body));
}

response settings_response(const report_port& of) {
  std::string body = "{";
  append_text_member(body, "version", of.version());
  body += ",\"settings\":[";
  for (const auto& [name, value] : of.settings()) {
    if (body.back() != '[') body += ',';
    body += '{';
    append_text_member(body, "name", name);
    body += ',';
    append_text_member(body, "value", value);
    body += '}';
  }
  body += "]}";
  return json_response(200, std::move(body));
}

}  // namespace ordem::http_edge
