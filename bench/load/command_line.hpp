// command_line: parses the arguments of ordem-load.
#pragma once

#include <string>

#include "bench/load/load_plan.hpp"
#include "bench/load/report.hpp"

namespace CLI {
class App;
}

namespace ordem::bench {

struct load_options {
  load_plan plan;
  bool is_fsync = false;
  std::string path;  // of fsync
  bool as_json = false;
  std::string output;  // a file for the JSON; empty: none
  run_notes notes;
};

/// Throws CLI::Error.
[[nodiscard]] load_options parse_command_line(CLI::App& app, int argc, char** argv);

}  // namespace ordem::bench
