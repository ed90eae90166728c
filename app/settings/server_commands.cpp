#include <memory>

#include "app/settings/commands.hpp"
#include "app/settings/option_kinds.hpp"
#include "app/settings/otel_environment.hpp"
#include "app/settings/postgres_url.hpp"
#include "app/settings/setting_sources.hpp"
#include "app/settings/settings_table.hpp"

namespace ordem::app {
namespace {

struct serve_options {
  settings values;
  std::string config;
  std::vector<setting> table = settings_table(values);
};

settings checked(serve_options& given, const std::vector<std::string>& environment) {
  settings& values = given.values;
  if (is_given(values.cluster)) {
    if (const auto error = complete(values.cluster)) throw usage_error(*error);
    if (const auto error = complete(values.node)) throw usage_error(*error);
  } else if (!values.node.name.empty() || !values.node.address.empty()) {
    throw usage_error("--node and --node-address need --cluster");
  }
  const bool has_postgres = !values.postgres_url.empty();
  values.postgres_url = trimmed_postgres_url(values.postgres_url);
  values.effective.emplace_back(config_name, given.config);
  for (const setting& each : given.table) values.effective.emplace_back(each.name, each.kind.text());
  if (has_postgres) {
    if (const auto error = postgres_url_error(values.postgres_url)) throw usage_error("--postgres-url " + *error);
  }
  if (const auto conflict = check_settings(values)) throw usage_error(*conflict);
  values.otel = read_otel_environment(environment);
  return values;
}

void add_serve(CLI::App& ordem, parse_state& state) {
  auto& serve = *ordem.add_subcommand("serve", "Serve orders over HTTP until SIGTERM or SIGINT");
  serve.footer(
      "Durations are numbers with a unit: 500ms, 30s, 5m, 24h, 7d. So are sizes: 64KiB, 1MiB, 2GiB.\n"
      "Every option can also be set in the environment, as shown in brackets, and in the file that --config names,\n"
      "one 'name = value' a line, without the dashes. An argument beats the environment, which beats the file.\n"
      "An empty variable counts as unset.");
  const auto options = std::make_shared<serve_options>();
  add_config(serve, options->config, "A file with settings", {serve, options->table, state});
  for (const setting& each : options->table) add_setting(serve, each);
  serve.callback([options, &state] { state.result = serve_command{checked(*options, state.environment)}; });
}

struct ready_options {
  ready_command what{http_edge::server_settings().address, http_edge::server_settings().port};
  std::string certificate_file;
  std::string config;
};

void add_ready(CLI::App& ordem, parse_state& state) {
  auto& ready = *ordem.add_subcommand("ready", "Ask the server on this machine whether it accepts writes");
  const auto options = std::make_shared<ready_options>();
  settings unused;
  add_config(ready, options->config, "The file with the server's settings", {ready, settings_table(unused), state});
  add_setting(ready, {"address", ip_address_option(options->what.address), "The address that the server listens on"});
  add_setting(ready, {"port", number_option(options->what.port, 1, 65535), "The port that the server listens on"});
  add_setting(ready, {"tls-certificate", file_option(options->certificate_file),
                      "The server's certificate: if there is one, ready asks by TLS"});
  ready.add_flag("--reads", options->what.reads,
                 "Ask whether it serves reads, which it also does when it is read-only");
  ready.footer(
      "Finds the server by the server's own settings: arguments, environment, file. Exit code 0 if it accepts writes,\n"
      "1 if it does not, or does not respond within 2 s; the reason is on standard error.");
  ready.callback([options, &state] {
    options->what.uses_tls = !options->certificate_file.empty();
    state.result = options->what;
  });
}

}  // namespace

void add_server_commands(CLI::App& ordem, parse_state& state) {
  add_serve(ordem, state);
  add_ready(ordem, state);
}

}  // namespace ordem::app
