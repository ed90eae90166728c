#include <memory>
#include <vector>

#include "app/settings/cluster_settings.hpp"
#include "app/settings/commands.hpp"
#include "app/settings/option_kinds.hpp"
#include "app/settings/setting_sources.hpp"
#include "app/settings/settings_table.hpp"
#include "cluster/nats/cluster_names.hpp"

namespace ordem::app {
namespace {

constexpr std::size_t stream_bytes_min = std::size_t{64} << 20;
constexpr unsigned replicas_max = 5;  // of JetStream

struct target_options {
  cluster_settings values;
  std::string config;
};

// Adds --config and the settings that name the cluster, which the command finds as a server does.
void add_target(CLI::App& subcommand, target_options& given, parse_state& state) {
  settings unused;
  add_config(subcommand, given.config, "The file with the server's settings",
             {subcommand, settings_table(unused), state});
  for (const setting& each : cluster_settings_table(given.values)) add_setting(subcommand, each);
}

cluster_settings checked(target_options& given) {
  if (const auto error = complete(given.values)) throw usage_error(*error);
  return given.values;
}

template <class Command>
struct added_command {
  CLI::App& app;
  Command& values;  // lives as long as the subcommand
};

// Adds a command for one cluster. The caller adds its other options.
template <class Command>
added_command<Command> add_command(CLI::App& cluster, parse_state& state, const char* name, const char* description) {
  auto& app = *cluster.add_subcommand(name, description);
  const auto target = std::make_shared<target_options>();
  const auto what = std::make_shared<Command>();
  add_target(app, *target, state);
  app.callback([target, what, &state] {
    what->at = checked(*target);
    state.result = *what;
  });
  return {app, *what};
}

void add_init(CLI::App& cluster, parse_state& state) {
  const auto [init, what] =
      add_command<cluster_init_command>(cluster, state, "init", "Make the log of a new cluster in NATS");
  number_option(what.replicas, 1, replicas_max)
      .add_to(init, "--replicas", "How many servers of NATS keep the log; with 1 the loss of one loses the log");
  size_option(what.bytes_max, stream_bytes_min)
      .add_to(init, "--max-bytes",
              "The size that the log may reach, which each of these servers reserves; beyond it writes are refused");
  init.footer(
      "Makes the stream of the cluster in JetStream and writes the first record of its log, with a new id of the cluster.\n"
      "Changes nothing if that has been done; then the stream is compared with these settings, and the exit code is 1 if\n"
      "they differ. The servers must be 2.15 or newer, with `max_payload: 8MB` and `sync_interval: always`.");
}

void add_status(CLI::App& cluster, parse_state& state) {
  const auto [status, what] = add_command<cluster_status_command>(
      cluster, state, "status", "Print the state of a cluster: its log, its owner, its nodes");
  status.add_flag("--json", what.json, "Print it as JSON");
  status.footer(
      "Listens for one second, in which each node says how it is. The exit code is 1 if the state cannot be read, or if\n"
      "there is no such cluster.");
}

void add_move(CLI::App& cluster, parse_state& state) {
  const auto [move, what] = add_command<cluster_move_command>(cluster, state, "move",
                                                              "Let another node own the log, before maintenance, say");
  move.add_option("--to", what.to, "The node, which must stand by; otherwise the one that has read most of the log")
      ->check([](const std::string& name) { return cluster::node_name_error(name).value_or(""); })
      ->type_name("NODE");
  move.footer(
      "The owner executes what it has and gives the log up; writes wait for the next owner meanwhile, some 0.2 s. It goes\n"
      "on as a standby, and may own the log again if the next one is lost. The exit code is 1 if the log was not moved.");
}

}  // namespace

void add_cluster_commands(CLI::App& ordem, parse_state& state) {
  auto& cluster = *ordem.add_subcommand("cluster", "Make a cluster, print its state, and move its log to another node");
  cluster.require_subcommand(1);
  add_init(cluster, state);
  add_status(cluster, state);
  add_move(cluster, state);
}

}  // namespace ordem::app
