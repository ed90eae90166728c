// The command line: what the user asked for, or what to tell the user.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "app/settings/settings.hpp"
#include "engine/model/capture.hpp"
#include "engine/model/ids.hpp"

namespace ordem::app {

struct serve_command {
  app::settings settings;
};
// Where the server listens; see server_settings.
struct ready_command {
  std::string address;
  std::uint16_t port = 0;
  bool reads = false;  // whether it serves reads, instead of whether it takes writes
};
struct inspect_order_command {
  std::string data_folder;
  order_id id;
};
struct inspect_message_command {
  std::string data_folder;
  ordem::guid guid;
};
struct inspect_capture_command {
  std::string data_folder;
  capture_key key;
};
struct import_captures_command {
  std::string data_folder;
  std::string file;  // - is standard input
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
                             restore_command, verify_command, version_command>;

// Not a command to run: a text to show, and the exit code.
struct command_line_end {
  int exit_code = 0;
  std::string text;
};

// `arguments` without the program's name; `environment` as "NAME=value". Settings are looked for in the arguments, then
// in the environment (ORDEM_*), then in the file that --config names, then they have their defaults. No text that comes
// back holds the password of a Postgres URL.
tl::expected<command, command_line_end> parse_command_line(const std::vector<std::string>& arguments,
                                                           const std::vector<std::string>& environment);

}  // namespace ordem::app
