#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "app/settings/commands.hpp"
#include "app/settings/config_file.hpp"
#include "app/settings/option_kinds.hpp"
#include "app/settings/postgres_url.hpp"
#include "app/settings/settings_table.hpp"

namespace ordem::app {
namespace {

constexpr const char* config_name = "config";

// Of several values an option takes the last, so a value that is put first gives way to all others. It is still
// checked.
void put_first(CLI::Option& option, const std::string& value) {
  const std::vector<std::string> others = option.results();
  option.clear();
  option.add_result(value);
  for (const std::string& each : others) option.add_result(each);
}

// Gives the options of one command their values from the environment and from the file that --config names.
//
// By hand, around CLI11's reader of files: its envname asks getenv, where the environment is an argument here; its
// set_config lets the file override the environment and belongs to the program, not to a command; and it has no errors
// for unknown variables, and none that name the file.
class setting_sources {
 public:
  setting_sources(CLI::App& subcommand, const std::vector<setting>& table, parse_state& state)
      : subcommand_(subcommand), state_(state) {
    for (const setting& each : table) names_.push_back(each.name);
  }

  // REQUIRES: no argument of the command has been parsed.
  void read_environment() const {
    for (const std::string& variable : state_.environment) {
      if (!variable.starts_with(environment_prefix)) continue;
      const auto equals = variable.find('=');
      const std::string name = variable.substr(0, equals);
      const auto found = std::find_if(names_.begin(), names_.end(),
                                      [&](const std::string& each) { return environment_name(each) == name; });
      if (found == names_.end() && name != environment_name(config_name)) {
        throw usage_error(fmt::format("the environment variable {} is not a setting of ordem", name));
      }
      if (equals == std::string::npos) continue;
      const std::string value = variable.substr(equals + 1);
      state_.inputs.push_back(value);
      if (auto* option = option_of(found == names_.end() ? config_name : *found)) option->add_result(value);
    }
  }

  // REQUIRES: all arguments have been parsed, and no option but --config has been given to its variable.
  void read_file(const std::string& path) const {
    const auto text = read_config_file(path);
    if (!text) throw usage_error(text.error());
    std::vector<CLI::ConfigItem> items;
    try {
      std::istringstream lines(*text);
      items = CLI::ConfigTOML().from_config(lines);
    } catch (const CLI::Error&) {
      throw usage_error(fmt::format("the configuration file '{}' cannot be read", path));
    }
    for (const CLI::ConfigItem& item : items) {
      check_item(item, path);
      state_.inputs.push_back(item.inputs.front());
    }
    std::reverse(items.begin(), items.end());  // so that the last of equal names wins
    for (const CLI::ConfigItem& item : items) {
      if (auto* option = option_of(item.name)) put_first(*option, item.inputs.front());
    }
  }

 private:
  void check_item(const CLI::ConfigItem& item, const std::string& path) const {
    if (!item.parents.empty()) {
      throw usage_error(fmt::format("the configuration file '{}' has a section '{}'; settings belong outside sections",
                                    path, item.parents.front()));
    }
    if (std::find(names_.begin(), names_.end(), item.name) == names_.end()) {
      throw usage_error(
          fmt::format("'{}' in the configuration file '{}' is not a setting of ordem", item.fullname(), path));
    }
    if (item.inputs.size() != 1) {
      throw usage_error(fmt::format("'{}' in the configuration file '{}' needs one value", item.name, path));
    }
    if (item.inputs.front().empty()) {
      throw usage_error(fmt::format("the value of '{}' in the configuration file '{}' is empty", item.name, path));
    }
  }

  // Returns null if the command does not have the setting: ready reads the settings of serve.
  CLI::Option* option_of(const std::string& name) const { return subcommand_.get_option_no_throw("--" + name); }

  CLI::App& subcommand_;
  parse_state& state_;
  std::vector<std::string> names_;
};

CLI::Option* take_last(CLI::Option* option) {
  return option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

// Adds --config. REQUIRES: it is the first option of the command. CLI11 gives options to their variables in this order,
// so the file is read before any other setting is checked.
void add_config(CLI::App& subcommand, std::string& path, const std::string& help, const setting_sources& sources) {
  const auto read = [&path, sources](const std::string& given) {
    path = given;
    sources.read_file(given);
  };
  take_last(subcommand.add_option_function<std::string>(std::string("--") + config_name, read,
                                                        with_environment_name(help, config_name)))
      ->type_name("FILE");
  subcommand.preparse_callback([sources](std::size_t) { sources.read_environment(); });
}

void add_setting(CLI::App& subcommand, const setting& what) {
  take_last(what.kind.add_to(subcommand, "--" + what.name, with_environment_name(what.help, what.name)));
}

struct serve_options {
  settings values;
  std::string config;
  std::vector<setting> table = settings_table(values);
};

settings checked(serve_options& given) {
  settings& values = given.values;
  const bool has_postgres = !values.postgres_url.empty();
  values.postgres_url = trimmed_postgres_url(values.postgres_url);
  values.effective.emplace_back(config_name, given.config);
  for (const setting& each : given.table) values.effective.emplace_back(each.name, each.kind.text());
  if (has_postgres) {
    if (const auto error = postgres_url_error(values.postgres_url)) throw usage_error("--postgres-url " + *error);
  }
  if (const auto conflict = check_settings(values)) throw usage_error(*conflict);
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
  serve.callback([options, &state] { state.result = serve_command{checked(*options)}; });
}

struct ready_options {
  ready_command what{http_edge::server_settings().address, http_edge::server_settings().port};
  std::string config;
};

void add_ready(CLI::App& ordem, parse_state& state) {
  auto& ready = *ordem.add_subcommand("ready", "Ask the server on this machine whether it accepts writes");
  const auto options = std::make_shared<ready_options>();
  settings unused;
  add_config(ready, options->config, "The file with the server's settings", {ready, settings_table(unused), state});
  add_setting(ready, {"address", ip_address_option(options->what.address), "The address that the server listens on"});
  add_setting(ready, {"port", number_option(options->what.port, 1, 65535), "The port that the server listens on"});
  ready.add_flag("--reads", options->what.reads,
                 "Ask whether it serves reads, which it also does when it is read-only");
  ready.footer(
      "Finds the server by the server's own settings: arguments, environment, file. Exit code 0 if it accepts writes,\n"
      "1 if it does not, or does not respond within 2 s; the reason is on standard error.");
  ready.callback([options, &state] { state.result = options->what; });
}

}  // namespace

void add_server_commands(CLI::App& ordem, parse_state& state) {
  add_serve(ordem, state);
  add_ready(ordem, state);
}

}  // namespace ordem::app
