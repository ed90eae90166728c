#include "app/settings/settings.hpp"

#include <algorithm>

#include "engine/base/limits.hpp"

namespace ordem::app {

namespace {

std::optional<std::string> check_auth(const settings& values) {
  switch (values.auth) {
    case auth_policy::none:
      if (!values.identities.any()) return std::nullopt;
      return "--auth none contradicts --keys and --jwks: give identities, or serve without";
    case auth_policy::required:
      if (values.identities.any()) return std::nullopt;
      return "--auth required needs identities: give --keys FILE or --jwks FILE|URL";
    case auth_policy::automatic:
      if (const auto open = open_address(values)) {
        return *open +
               " is reached from other machines, and without identities everyone there may read and write all data: "
               "give --keys FILE or --jwks FILE|URL, or listen on 127.0.0.1, or accept it with --auth none";
      }
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> check_identities(const identity_settings& values) {
  const bool has_set = !values.key_set.empty();
  if (has_set && (values.tokens.issuer.empty() || values.tokens.audience.empty())) {
    return "--jwks needs --jwt-issuer and --jwt-audience: else tokens for any other service would be taken";
  }
  if (!has_set && (!values.tokens.issuer.empty() || !values.tokens.audience.empty())) {
    return "--jwt-issuer and --jwt-audience need --jwks: without a key set no token can be verified";
  }
  if (is_url(values.key_set) && !values.key_set.starts_with("https://")) {
    return "--jwks must be a file or an https URL: over plain HTTP anyone on the way could put in keys";
  }
  return std::nullopt;
}

// A back-up in the data folder would be lost with it, and one named db would be taken for data.
std::optional<std::string> check_backup_root(const settings& values) {
  const std::filesystem::path& root = values.backup_root;
  if (root.empty()) return std::nullopt;
  if (!root.is_absolute()) return "--backup-root must be an absolute path";
  std::error_code ignored;
  // With links followed, as far as the paths exist.
  const auto data = std::filesystem::weakly_canonical(std::filesystem::absolute(values.store.folder, ignored), ignored);
  const auto from_data = std::filesystem::weakly_canonical(root, ignored).lexically_relative(data);
  if (!from_data.empty() && *from_data.begin() != "..")
    return "--backup-root must not be the data folder, nor in it: a back-up would be lost with the folder";
  return std::nullopt;
}

std::string option_prefix(http_edge::listener_kind of) {
  return of == http_edge::listener_kind::main ? "--" : "--" + std::string(to_string(of)) + "-";
}

// Two listeners on one port are refused where they are bound, too, but with a message that names no setting.
std::optional<std::string> check_listeners(const http_edge::server_settings& server) {
  const http_edge::server_settings defaults;
  if (!server.operations_port && server.operations_address != defaults.operations_address)
    return "--operations-address needs --operations-port: without a port there is no such listener";
  if (!server.captures_port && server.captures_address != defaults.captures_address)
    return "--captures-address needs --captures-port: without a port there is no such listener";
  const auto endpoints = endpoints_of(server);
  for (auto one = endpoints.begin(); one != endpoints.end(); ++one) {
    for (auto other = endpoints.begin(); other != one; ++other) {
      const bool same_port = one->port == other->port && one->port != 0;
      if (same_port && (one->address == other->address || is_wildcard(one->address) || is_wildcard(other->address)))
        return option_prefix(one->kind) + "port must not be that of " + option_prefix(other->kind) +
               "port: two listeners cannot share an address and a port";
    }
  }
  return std::nullopt;
}

// A record of the log in NATS has at most 4 MiB. A message is in it several times: as it was sent, and as what it made.
constexpr std::size_t cluster_message_bytes_max = std::size_t{1} << 20;

std::optional<std::string> check_cluster(const settings& values) {
  if (values.cluster.name.empty()) return std::nullopt;
  if (values.store.durability != storage::durability::fsync)
    return "--durability must be fsync with --cluster: a response waits for the servers of NATS";
  if (values.server.body_bytes_max > cluster_message_bytes_max)
    return "--max-body must not be above 1MiB with --cluster: a record of the log has a bound";
  if (values.server.captured_bytes_max > cluster_message_bytes_max)
    return "--capture-max must not be above 1MiB with --cluster: a record of the log has a bound";
  return std::nullopt;
}

std::optional<std::string> check_tls(const http_edge::tls_settings& tls) {
  if (tls.certificate_file.empty() != tls.key_file.empty()) return "--tls-certificate and --tls-key need each other";
  if (!tls.client_ca_file.empty() && !tls.enabled())
    return "--tls-client-ca needs --tls-certificate: client certificates exist only with TLS";
  return std::nullopt;
}

}  // namespace

bool is_wildcard(const std::string& address) noexcept {
  return address == "0.0.0.0" || address == "::";
}

std::optional<std::string> open_address(const settings& values) {
  if (values.identities.any()) return std::nullopt;
  const http_edge::server_settings& server = values.server;
  if (!http_edge::is_loopback(server.address)) return "--address " + server.address;
  if (server.captures_port && !http_edge::is_loopback(server.captures_address))
    return "--captures-address " + server.captures_address;
  return std::nullopt;
}

bool is_url(const std::string& key_set) noexcept {
  return key_set.find("://") != std::string::npos;
}

std::optional<std::string> check_settings(const settings& values) {
  if (auto conflict = check_listeners(values.server)) return conflict;
  if (auto conflict = check_auth(values)) return conflict;
  if (auto conflict = check_tls(values.server.tls)) return conflict;
  if (values.server.connections_max < values.server.io_threads) {
    return "--max-connections must not be below --io-threads, or some threads would have no connection";
  }
  const std::size_t largest_capture = http_edge::capture_body_bytes_max(values.server);
  if (values.server.body_memory_bytes_max < std::max(values.server.body_bytes_max, largest_capture)) {
    return "--body-memory must not be below --max-body, nor below six times --capture-max and 64 KiB: such a body would "
           "never be accepted";
  }
  if (values.server.response_memory_bytes_max < std::max(2 * limits::page_bytes_max, largest_capture)) {
    return "--response-memory must not be below 2 MiB, nor below six times --capture-max and 64 KiB: such a response would "
           "never be sent";
  }
  if (values.engine.live_orders_max < values.engine.shards) {
    return "--live-orders must not be below --shards: each shard keeps at least one order live";
  }
  if (values.store.durability == storage::durability::postgres && values.postgres_url.empty()) {
    return "--durability=postgres needs --postgres-url: responses would wait for ever";
  }
  // A client may retry after about a second: its GUID must still be known.
  if (values.engine.message_ttl < std::chrono::seconds(1)) {
    return "--message-ttl must be at least 1s: a retry must find its GUID";
  }
  if (auto error = check_identities(values.identities)) return error;
  if (auto error = check_backup_root(values)) return error;
  if (auto conflict = check_cluster(values)) return conflict;
  return check_settings(values.engine.captures);
}

std::optional<std::string> check_settings(const capture_terms& terms) {
  if (terms.ttl < terms.lease) {
    return "--capture-ttl must not be below --capture-lease: a capture would be forgotten while its lease runs";
  }
  return std::nullopt;
}

}  // namespace ordem::app
