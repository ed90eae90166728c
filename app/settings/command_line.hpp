// Parses the command line, the environment and the configuration file. Used once, on the main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "app/settings/cluster_settings.hpp"
#include "app/settings/settings.hpp"
#include "auth/identity.hpp"
#include "engine/model/capture.hpp"
#include "engine/model/ids.hpp"

namespace ordem::app {

struct serve_command {
  app::settings settings;
};
// Address and port of the server; see server_settings.
struct ready_command {
  std::string address;
  std::uint16_t port = 0;
  bool uses_tls = false;
  bool reads = false;  // ask whether it serves reads, not whether it accepts writes
};
struct inspect_order_command {
  std::string data_folder;
  order_id id;
};
struct inspect_message_command {
  std::string data_folder;
  std::string tenant;
  ordem::guid guid;
};
struct inspect_capture_command {
  std::string data_folder;
  std::string tenant;
  capture_key key;
};
struct import_captures_command {
  std::string data_folder;
  std::string file;  // - for standard input
  std::string tenant;
  capture_terms terms;
  std::size_t captured_bytes_max = 0;
};
struct migrate_command {
  std::string postgres_url;
  bool dry_run = false;
  std::chrono::milliseconds lock_timeout{0};
};
struct migrate_status_command {
  std::string postgres_url;
};
struct upgrade_command {
  std::string data_folder;
  bool dry_run = false;
};
// With its options checked: see auth/keys/keys_file.hpp.
struct key_create_command {
  std::string keys_file;  // empty: print the line instead of adding it
  std::string name;
  std::string tenant;
  auth::scope_set scopes;
  std::chrono::milliseconds lifetime{0};  // 0: without an end
  std::string certificate_subject;        // empty: an API key
};
struct key_list_command {
  std::string keys_file;
};
struct key_revoke_command {
  std::string keys_file;
  std::string name;
  std::string id;  // see short_id(); empty: the only credential of the name
};
struct backup_command {
  std::string to;  // the folder on the server's machine, or its name
  std::string url;
  std::string api_key_file;  // empty: none is sent
  std::string ca_file;       // empty: the system's authorities
};
struct verify_backup_command {
  std::string folder;
};
// What `ordem relay` needs, with its options checked.
struct relay_command {
  std::string from;  // the server
  std::string to;    // the URL of the receiver
  std::string secret_file;
  std::string position_file;
  std::optional<position> after;  // without a file of positions: where to begin; absent: at the end
  std::string query;              // of the feed, with filters; empty or beginning with &
  std::string api_key_file;       // empty: none is sent
  std::string ca_file;            // empty: the system's authorities
  std::chrono::milliseconds timeout = std::chrono::seconds(15);  // of one attempt
  std::chrono::milliseconds retry_first = std::chrono::seconds(1);
  std::chrono::milliseconds retry_longest = std::chrono::minutes(1);
};
struct cluster_init_command {
  cluster_settings at;
  unsigned replicas = 3;
  // Not larger by default, since JetStream reserves it on each server.
  std::size_t bytes_max = std::size_t{16} << 30;
};
struct cluster_status_command {
  cluster_settings at;
  bool json = false;
};
struct cluster_move_command {
  cluster_settings at;
  std::string to;  // the name of a node; empty: the standby that has read most
};
struct version_command {};

struct restore_command {
  std::string postgres_url;
  std::string data_folder;
};
struct verify_command {
  std::string postgres_url;
  std::string data_folder;
};

using command = std::variant<serve_command, ready_command, inspect_order_command, inspect_message_command,
                             inspect_capture_command, import_captures_command, migrate_command, migrate_status_command,
                             restore_command, verify_command, upgrade_command, backup_command, verify_backup_command,
                             key_create_command, key_list_command, key_revoke_command, relay_command,
                             cluster_init_command, cluster_status_command, cluster_move_command, version_command>;

// The end of a program without a command: a text to print, and the exit code.
struct command_line_end {
  int exit_code = 0;
  std::string text;
};

// Returns the command with all its settings. `arguments` is without the program's name, `environment` as "NAME=value".
// An argument overrides the environment (ORDEM_*), which overrides the file that --config names, which overrides the
// default. No returned text holds the password of a URL of Postgres or NATS.
tl::expected<command, command_line_end> parse_command_line(const std::vector<std::string>& arguments,
                                                           const std::vector<std::string>& environment);

}  // namespace ordem::app
