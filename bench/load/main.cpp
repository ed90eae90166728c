// ordem-load: loads a server over keep-alive connections and reports rate and latency.
//
// Exit code 0: all answers were right. 1: some were wrong or missing; the figures are of no use. 2: nothing was
// measured.

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <random>
#include <string>

#include "bench/load/closed_loop.hpp"
#include "bench/load/conversation.hpp"
#include "bench/load/fsync_probe.hpp"
#include "bench/load/report.hpp"

namespace {

using namespace ordem::bench;

constexpr int exit_wrong_answers = 1;
constexpr int exit_not_measured = 2;

constexpr double duration_s_max = 600;  // bounds the order ids kept, too

struct options {
  load_plan plan;
  bool is_fsync = false;
  std::string path;
  bool as_json = false;
};

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

std::chrono::nanoseconds seconds(double count) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(count));
}

// Throws CLI::Error.
options parse(CLI::App& app, int argc, char** argv) {
  const std::map<std::string, scenario> http_scenarios{
      {"create", scenario::create}, {"get", scenario::get}, {"bare", scenario::bare}};
  const CLI::AsNumberWithUnit duration(std::map<std::string, double>{{"ms", 1e-3}, {"s", 1}, {"m", 60}},
                                       CLI::AsNumberWithUnit::UNIT_REQUIRED, "ms|s|m");

  options chosen;
  auto& plan = chosen.plan;
  std::string what = "create";
  double duration_s = 5;
  double warmup_s = 1;
  plan.seed = random_seed();
  app.add_option("--host", plan.host, "IP address of the server")->capture_default_str();
  app.add_option("--port", plan.port, "Port of the server")->capture_default_str();
  app.add_option("--connections", plan.connections, "Keep-alive connections, each with one request under way")
      ->check(CLI::Range(1U, 16384U))
      ->capture_default_str();
  app.add_option("--threads", plan.threads, "Threads that share the connections")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
  app.add_option("--duration", duration_s, "Measured time, at most 10m")->transform(duration)->default_str("5s");
  app.add_option("--warmup", warmup_s, "Time under load before that")->transform(duration)->default_str("1s");
  app.add_option("--scenario", what,
                 "create: a new order each time. get: each connection reads one order. bare: what create sends, to a "
                 "server that answers a constant. fsync: no server, but the disk under --path")
      ->check(CLI::IsMember({"create", "get", "bare", "fsync"}))
      ->capture_default_str();
  app.add_option("--rate", plan.rate_max, "Requests a second at most, of all connections together; 0: no bound")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--body-items", plan.body_items, "Items of each order created")
      ->check(CLI::Range(std::size_t{1}, body_items_max))
      ->capture_default_str();
  app.add_option("--path", chosen.path, "Folder on the disk to measure, for fsync")->check(CLI::ExistingDirectory);
  app.add_option("--seed", plan.seed, "Seed of the GUIDs; random by default");
  app.add_flag("--json", chosen.as_json, "Print one line of JSON");
  app.parse(argc, argv);

  chosen.is_fsync = what == "fsync";
  if (chosen.is_fsync && chosen.path.empty()) throw CLI::ValidationError("--path", "fsync needs it");
  if (!chosen.is_fsync) plan.what = http_scenarios.at(what);
  if (plan.threads > plan.connections) throw CLI::ValidationError("--threads", "more than there are connections");
  if (!(duration_s > 0 && duration_s <= duration_s_max))
    throw CLI::ValidationError("--duration", "not above 0 and up to 10m");
  if (!(warmup_s >= 0 && warmup_s <= duration_s_max)) throw CLI::ValidationError("--warmup", "not 0 to 10m");
  plan.duration = seconds(duration_s);
  plan.warmup = seconds(warmup_s);
  return chosen;
}

int measure_fsync(const options& chosen) {
  const auto latency = probe_fsync(chosen.path, chosen.plan.duration);
  (chosen.as_json ? write_fsync_json : write_fsync_text)(std::cout, latency);
  return EXIT_SUCCESS;
}

int measure_server(const options& chosen) {
  const auto result = run_closed_loop(chosen.plan);
  (chosen.as_json ? write_json : write_text)(std::cout, chosen.plan, result);
  if (result.errors.total() == 0) return EXIT_SUCCESS;
  std::cerr << "ordem-load: " << result.errors.total() << " errors, the first: " << result.first_complaint << '\n';
  return exit_wrong_answers;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Loads a server over keep-alive connections and reports rate and latency", "ordem-load");
  try {
    const options chosen = parse(app, argc, argv);
    return chosen.is_fsync ? measure_fsync(chosen) : measure_server(chosen);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : exit_not_measured;
  } catch (const std::exception& error) {
    std::cerr << "ordem-load: " << error.what() << '\n';
    return exit_not_measured;
  }
}
