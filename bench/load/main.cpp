// ordem-load: loads a server over keep-alive connections and reports rate and latency.
//
// Exit code 0: all answers were right. 1: some were wrong or missing; the figures are of no use. 2: nothing was
// measured.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "bench/load/command_line.hpp"
#include "bench/load/fsync_probe.hpp"
#include "bench/load/load_run.hpp"
#include "bench/load/report.hpp"

namespace {

using namespace ordem::bench;

constexpr int exit_wrong_answers = 1;
constexpr int exit_not_measured = 2;

int measure_fsync(const load_options& chosen) {
  const auto latency = probe_fsync(chosen.path, chosen.plan.duration);
  (chosen.as_json ? write_fsync_json : write_fsync_text)(std::cout, latency);
  return EXIT_SUCCESS;
}

// Returns an empty listener if standard error is not a terminal.
progress_listener listener_on_terminal(const load_plan& plan) {
  if (::isatty(STDERR_FILENO) == 0) return {};
  return [&plan, before = progress{.since_begin = -plan.warmup}](const progress& now) mutable {
    constexpr const char* erase_line = "\r\x1b[K";
    std::cerr << erase_line << progress_line(plan, before, now) << std::flush;
    before = now;
  };
}

int measure_server(const load_options& chosen) {
  std::ofstream file;
  if (!chosen.output.empty()) {
    file.open(chosen.output);
    if (!file) throw std::runtime_error("cannot write " + chosen.output);
  }
  const auto listener = listener_on_terminal(chosen.plan);
  const auto result = run_load(chosen.plan, listener);
  if (listener) std::cerr << "\r\x1b[K";
  (chosen.as_json ? write_json : write_text)(std::cout, chosen.plan, result, chosen.notes);
  if (file.is_open()) {
    write_json(file, chosen.plan, result, chosen.notes);
    if (!file.flush()) throw std::runtime_error("cannot write " + chosen.output);
  }
  if (result.errors.total() == 0) return EXIT_SUCCESS;
  std::cerr << "ordem-load: " << result.errors.total() << " errors, the first: " << result.first_complaint << '\n';
  return exit_wrong_answers;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a write reports a lost connection
  CLI::App app("Loads a server over keep-alive connections and reports rate and latency", "ordem-load");
  try {
    const load_options chosen = parse_command_line(app, argc, argv);
    return chosen.is_fsync ? measure_fsync(chosen) : measure_server(chosen);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : exit_not_measured;
  } catch (const std::exception& error) {
    std::cerr << "ordem-load: " << error.what() << '\n';
    return exit_not_measured;
  }
}
