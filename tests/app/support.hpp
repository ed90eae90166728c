// Helpers for tests of the command line.
#pragma once

#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "app/settings/command_line.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::testing {

using words = std::vector<std::string>;

// A configuration file, removed at the end of the test.
class settings_file {
 public:
  explicit settings_file(const std::string& text) { std::ofstream(path()) << text; }
  std::string path() const { return (folder_.path() / "ordem.conf").string(); }

 private:
  temp_folder folder_;
};

// Parses `serve` with these arguments.
inline auto parse_serve(words arguments, const words& environment = {}) {
  arguments.insert(arguments.begin(), "serve");
  return app::parse_command_line(arguments, environment);
}

// Returns the settings of a valid command line.
inline app::settings settings_of(const words& arguments, const words& environment = {}) {
  const auto parsed = parse_serve(arguments, environment);
  if (!parsed) throw std::runtime_error(parsed.error().text);
  return std::get<app::serve_command>(*parsed).settings;
}

// Returns the error message of an invalid command line.
inline std::string error_of(const words& arguments, const words& environment = {}) {
  const auto parsed = parse_serve(arguments, environment);
  if (parsed) throw std::runtime_error("the command line is valid");
  if (parsed.error().exit_code != 2) throw std::runtime_error("the exit code is not 2");
  return parsed.error().text;
}

// Returns the value of a setting as it is printed at start.
inline std::string effective(const app::settings& values, const std::string& name) {
  for (const auto& [each, value] : values.effective) {
    if (each == name) return value;
  }
  throw std::runtime_error("there is no setting " + name);
}

}  // namespace ordem::testing
