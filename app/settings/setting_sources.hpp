// Where the values of a command's options come from besides its arguments: the environment, and the file that --config
// names. Used only while the command line is parsed, on the main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "app/settings/commands.hpp"
#include "app/settings/settings_table.hpp"

namespace ordem::app {

inline constexpr const char* config_name = "config";

// Gives the options of one command their values from the environment and from the file that --config names.
//
// By hand, around CLI11's reader of files: its envname asks getenv, where the environment is an argument here; its
// set_config lets the file override the environment and belongs to the program, not to a command; and it has no errors
// for unknown variables, and none that name the file.
class setting_sources {
 public:
  // `table`: all settings of the server. Those that the command does not have are checked and skipped. REQUIRES:
  // `state` and the command outlive it.
  setting_sources(CLI::App& subcommand, const std::vector<setting>& table, parse_state& state);

  // REQUIRES: no argument of the command has been parsed.
  void read_environment() const;
  // REQUIRES: all arguments have been parsed, and no option but --config has been given to its variable.
  void read_file(const std::string& path) const;

 private:
  void check_item(const CLI::ConfigItem& item, const std::string& path) const;
  // Returns null if the command does not have the setting: ready reads the settings of serve.
  CLI::Option* option_of(const std::string& name) const;

  CLI::App& subcommand_;
  parse_state& state_;
  std::vector<std::string> names_;
};

// Adds --config. REQUIRES: it is the first option of the command, and `path` outlives it. CLI11 gives options to their
// variables in this order, so the file is read before any other setting is checked.
void add_config(CLI::App& subcommand, std::string& path, const std::string& help, const setting_sources& sources);

// Adds an option for the setting, with its variable of the environment in the help.
void add_setting(CLI::App& subcommand, const setting& what);

}  // namespace ordem::app
