// What the tests of the program's settings share.
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

// A file with settings that goes with the test.
class settings_file {
 public:
  explicit settings_file(const std::string& text) { std::ofstream(path()) << text; }
  std::string path() const { return (folder_.path() / "ordem.conf").string(); }

 private:
  temp_folder folder_;
};

// `serve` with these arguments after it.
inline auto parse_serve(words arguments, const words& environment = {}) {
  arguments.insert(arguments.begin(), "serve");
  return app::parse_command_line(arguments, environment);
}

// The settings of a command line that must be fine.
inline app::settings settings_of(const words& arguments, const words& environment = {}) {
  const auto parsed = parse_serve(arguments, environment);
  if (!parsed) throw std::runtime_error(parsed.error().text);
  return std::get<app::serve_command>(*parsed).settings;
}

// What a command line that must not be fine is answered.
inline std::string complaint_about(const words& arguments, const words& environment = {}) {
  const auto parsed = parse_serve(arguments, environment);
  if (parsed) throw std::runtime_error("nothing was wrong with it");
  if (parsed.error().exit_code != 2) throw std::runtime_error("the exit code is not 2");
  return parsed.error().text;
}

// How a setting holds, as it is printed at start.
inline std::string effective(const app::settings& given, const std::string& name) {
  for (const auto& [each, value] : given.effective) {
    if (each == name) return value;
  }
  throw std::runtime_error("no setting is called " + name);
}

}  // namespace ordem::testing
