// The options of each command, defined in a file for each group of them. Used only by parse_command_line.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/settings/command_line.hpp"

namespace ordem::app {

// A value that cannot be used. The message names the value and its source, and holds no password.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What the commands share while one command line is parsed.
struct parse_state {
  const std::vector<std::string> environment;  // as "NAME=value", without the empty ones
  // The values from the command line, the environment and the file: errors of CLI11 may quote them.
  std::vector<std::string> inputs;
  // Set by the callback of the command that was given.
  std::optional<command> result;
};

// Each adds commands to the program. CLI11 then calls them back while it parses; they throw usage_error.
// REQUIRES: `state` outlives `ordem`.
void add_server_commands(CLI::App& ordem, parse_state& state);    // serve, ready
void add_folder_commands(CLI::App& ordem, parse_state& state);    // inspect, import, upgrade
void add_backup_commands(CLI::App& ordem, parse_state& state);    // backup, backup verify
void add_cluster_commands(CLI::App& ordem, parse_state& state);   // cluster
void add_relay_command(CLI::App& ordem, parse_state& state);      // relay
void add_key_commands(CLI::App& ordem, parse_state& state);       // key
void add_postgres_commands(CLI::App& ordem, parse_state& state);  // migrate, restore, verify

// Adds --data-dir, with the folder of the environment as its default.
void add_data_folder(CLI::App& subcommand, std::string& folder, const std::string& help, const parse_state& state);

// Returns the value of ORDEM_* for the setting, or nullopt if it is not set.
std::optional<std::string> value_in_environment(const std::string& name, const parse_state& state);

}  // namespace ordem::app
