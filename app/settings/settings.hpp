// All settings of a server: parsed once at start, checked as a whole, passed on in parts.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/gateway.hpp"
#include "app/settings/cluster_settings.hpp"
#include "app/settings/otel_environment.hpp"
#include "auth/tokens/token_rules.hpp"
#include "http-edge/server/settings.hpp"
#include "storage/log/store.hpp"

namespace ordem::app {

// Whether every request needs an identity: as identities are given and the address demands, always, or never.
enum class auth_policy : std::uint8_t { automatic, required, none };

enum class log_format : std::uint8_t { automatic, json, text };

// Which requests the request log has; see is_logged() in request_log.hpp.
enum class request_log_level : std::uint8_t { off, errors, all };

// Who may come in; see auth/directory.hpp. If there are any, every request needs one.
struct identity_settings {
  std::string keys_file;  // the keys file, or empty
  std::string key_set;    // the key set of tokens, a file or an https URL, or empty
  auth::token_rules tokens;

  bool any() const noexcept { return !keys_file.empty() || !key_set.empty(); }
};

// Returns whether the key set is given as a URL. It is then an https URL: check_settings() refuses others.
bool is_url(const std::string& key_set) noexcept;

struct settings {
  http_edge::server_settings server;
  storage::store_settings store;
  actors::gateway_settings engine;
  identity_settings identities;
  // The database that the log is replicated to, or empty. Secret: it may hold a password.
  std::string postgres_url;
  // The cluster that the server is a node of; without a name it serves a log of its own. Then `node` is empty, too.
  cluster_settings cluster;
  cluster_node_settings node;
  app::auth_policy auth = app::auth_policy::automatic;
  // The folder below which back-ups may be made, absolute, or empty: none may.
  std::filesystem::path backup_root;
  // How long a stop waits for open requests.
  std::chrono::milliseconds drain_timeout = std::chrono::seconds(20);
  app::log_format log_format = app::log_format::automatic;
  std::string log_level = "info";
  request_log_level request_log = request_log_level::off;
  // Tracing, from the variables OTEL_*.
  otel_environment otel;
  // Every setting with the value in effect, by name, to be logged at start. Without passwords.
  std::vector<std::pair<std::string, std::string>> effective;
};

// Returns an error message if settings contradict each other, else nullopt.
std::optional<std::string> check_settings(const settings& values);
std::optional<std::string> check_settings(const capture_terms& terms);

// Returns whether the address is 0.0.0.0 or ::, which is none that others reach.
bool is_wildcard(const std::string& address) noexcept;

// Returns the first address, with its option, where everyone who can reach it from another machine may read and write
// data, or nullopt if there is none.
std::optional<std::string> open_address(const settings& values);

}  // namespace ordem::app
