#include "bench/load/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "bench/load/batch_workload.hpp"
#include "engine/base/random_bits.hpp"

namespace ordem::bench {
namespace {

constexpr double duration_s_max = 600;  // bounds the order ids kept, too
constexpr unsigned orders_max = 1'000'000;

std::chrono::nanoseconds seconds(double count) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(count));
}

// What has to be worked into the plan.
struct raw_options {
  std::string what = "create";
  std::string arrivals;
  double rate = 0;
  double duration_s = 5;
  double warmup_s = 1;
  double surge_rate = 0;
  double surge_from_s = 0;
  double surge_for_s = 0;
  double late_max_s = -1;
  unsigned orders = 0;
  std::string api_key_file;
  std::vector<std::string> notes;
};

void add_server_and_load(CLI::App& app, load_plan& plan, raw_options& raw) {
  const CLI::AsNumberWithUnit duration(std::map<std::string, double>{{"ms", 1e-3}, {"s", 1}, {"m", 60}},
                                       CLI::AsNumberWithUnit::UNIT_REQUIRED, "ms|s|m");
  app.add_option("--host", plan.host, "IP address of the server")->capture_default_str();
  app.add_option("--port", plan.port, "Port of the server")->capture_default_str();
  app.add_option("--tls-ca", plan.tls_ca,
                 "Use TLS, and trust the authorities in this file (PEM); the name of the server is not compared")
      ->check(CLI::ExistingFile);
  app.add_option("--api-key-file", raw.api_key_file, "Send the API key in the first line of this file")
      ->check(CLI::ExistingFile);
  app.add_option("--server-pid", plan.server_pid,
                 "Process id of the server on this machine: its CPU time is reported, too")
      ->check(CLI::PositiveNumber);
  app.add_option("--connections", plan.connections, "Keep-alive connections, each with one request under way")
      ->check(CLI::Range(1U, 16384U))
      ->capture_default_str();
  app.add_option("--threads", plan.threads, "Threads that share the connections")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
  app.add_option("--duration", raw.duration_s, "Measured time, at most 10m")->transform(duration)->default_str("5s");
  app.add_option("--warmup", raw.warmup_s, "Time under load before that")->transform(duration)->default_str("1s");
  app.add_option(
         "--arrivals", raw.arrivals,
         "Open loop: requests are due at --rate, with even gaps (fixed) or at random (poisson), and latency counts "
         "from when they are due. Without it a closed loop: each connection sends when it has its answer")
      ->check(CLI::IsMember({"fixed", "poisson"}));
  app.add_option("--rate", raw.rate, "Requests a second of all connections together, with --arrivals")
      ->check(CLI::PositiveNumber);
  app.add_option("--surge-rate", raw.surge_rate, "Requests a second instead of --rate, for the time of --surge-for")
      ->check(CLI::PositiveNumber);
  app.add_option("--surge-from", raw.surge_from_s, "When the surge begins, counted from the end of the warm-up")
      ->transform(duration);
  app.add_option("--surge-for", raw.surge_for_s, "How long the surge lasts")->transform(duration);
  app.add_option("--late-max", raw.late_max_s,
                 "With --arrivals: a request that finds no free connection for this long is not sent")
      ->transform(duration);
  app.add_flag("--allow-refusals", plan.takes_refusals,
               "Count answers 503 /problems/overloaded and 429 /problems/rate-limited apart, instead of as errors");
}

void add_scenario(CLI::App& app, load_options& chosen, raw_options& raw) {
  auto& workloads = chosen.plan.workloads;
  std::vector<std::string> scenarios(scenario_names.begin(), scenario_names.end());
  scenarios.emplace_back("fsync");
  app.add_option(
         "--scenario", raw.what,
         "create: a new order each time. update: an order of the connection's own. get: reads one. replay: creates, "
         "some repeated. conflict: updates, some out of date. hot-order: all update one order. captures: allocate, "
         "record, read. mixed: of all. batch: new orders, --batch-lines in one request. batch-update: updates of orders of its own, as many in one request. bare: what create sends, to a server that answers a constant. fsync: no "
         "server, but the disk under --path")
      ->check(CLI::IsMember(scenarios))
      ->capture_default_str();
  app.add_option(
         "--orders", raw.orders,
         "Orders that update, get, conflict, mixed and batch-update work on, dealt out to the connections; at least one each")
      ->check(CLI::Range(0U, orders_max));
  app.add_option("--replay-share", workloads.replay_share, "Share of replay's requests that repeat a GUID")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--conflict-share", workloads.conflict_share, "Share of conflict's updates against an old version")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--batch-lines", workloads.batch_lines, "Orders in each request of batch and batch-update")
      ->check(CLI::Range(std::size_t{1}, batch_lines_max))
      ->capture_default_str();
  app.add_option("--body-items", workloads.body.items, "Items of each order")
      ->check(CLI::Range(std::size_t{1}, body_items_max))
      ->capture_default_str();
  app.add_option("--body-bytes", workloads.body.bytes,
                 "Fill the body of a create (of captures: of the record) up to this size");
  app.add_option("--path", chosen.path, "Folder on the disk to measure, for fsync")->check(CLI::ExistingDirectory);
}

void add_output(CLI::App& app, load_options& chosen, raw_options& raw) {
  app.add_option("--seed", chosen.plan.seed, "Seed of the GUIDs, arrivals and choices; random by default");
  app.add_option("--note", raw.notes, "KEY=VALUE, kept with the results, such as durability=fsync; may be repeated");
  app.add_option("--output", chosen.output, "Also write the results to this file, as one line of JSON");
  app.add_flag("--json", chosen.as_json, "Print one line of JSON instead of the text");
}

std::string read_api_key(const std::string& file) {
  std::string key;
  if (std::ifstream in(file); !std::getline(in, key) || key.empty()) {
    throw CLI::ValidationError("--api-key-file", "no key in the first line of " + file);
  }
  return key;
}

run_notes split_notes(const std::vector<std::string>& texts) {
  run_notes notes;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) throw CLI::ValidationError("--note", "not KEY=VALUE: " + text);
    notes.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return notes;
}

}  // namespace

load_options parse_command_line(CLI::App& app, int argc, char** argv) {
  load_options chosen;
  raw_options raw;
  auto& plan = chosen.plan;
  plan.seed = random_bits();
  add_server_and_load(app, plan, raw);
  add_scenario(app, chosen, raw);
  add_output(app, chosen, raw);
  app.parse(argc, argv);

  chosen.is_fsync = raw.what == "fsync";
  if (chosen.is_fsync && chosen.path.empty()) throw CLI::ValidationError("--path", "fsync needs it");
  if (!chosen.is_fsync) {
    plan.workloads.what = static_cast<scenario>(std::ranges::find(scenario_names, raw.what) - scenario_names.begin());
  }
  if (!raw.api_key_file.empty()) plan.api_key = read_api_key(raw.api_key_file);
  if (raw.arrivals.empty() != (raw.rate == 0)) throw CLI::ValidationError("--arrivals", "goes together with --rate");
  if (!raw.arrivals.empty()) {
    plan.open = {.pattern = raw.arrivals == "fixed" ? arrival_pattern::fixed : arrival_pattern::poisson,
                 .rate_per_s = raw.rate};
  }
  const bool surges = raw.surge_rate > 0;
  if (surges != (raw.surge_for_s > 0)) throw CLI::ValidationError("--surge-rate", "goes together with --surge-for");
  if ((surges || raw.late_max_s >= 0) && !plan.open) throw CLI::ValidationError("--arrivals", "needed for that");
  if (surges) {
    const auto from = seconds(raw.warmup_s + raw.surge_from_s);
    plan.open->surge = {.rate_per_s = raw.surge_rate, .from = from, .until = from + seconds(raw.surge_for_s)};
  }
  if (raw.late_max_s >= 0) plan.late_max = seconds(raw.late_max_s);
  if (plan.threads > plan.connections) throw CLI::ValidationError("--threads", "more than there are connections");
  if (!(raw.duration_s > 0 && raw.duration_s <= duration_s_max))
    throw CLI::ValidationError("--duration", "not above 0 and up to 10m");
  if (!(raw.warmup_s >= 0 && raw.warmup_s <= duration_s_max)) throw CLI::ValidationError("--warmup", "not 0 to 10m");
  plan.duration = seconds(raw.duration_s);
  plan.warmup = seconds(raw.warmup_s);
  plan.workloads.orders_each = std::max(1U, (raw.orders + plan.connections - 1) / plan.connections);
  chosen.notes = split_notes(raw.notes);
  return chosen;
}

}  // namespace ordem::bench
