#include "app/settings/setting_sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "app/settings/config_file.hpp"

namespace ordem::app {
namespace {

// Of several values an option takes the last, so a value that is put first gives way to all others. It is still
// checked.
void put_first(CLI::Option& option, const std::string& value) {
  const std::vector<std::string> others = option.results();
  option.clear();
  option.add_result(value);
  for (const std::string& each : others) option.add_result(each);
}

CLI::Option* take_last(CLI::Option* option) {
  return option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

}  // namespace

setting_sources::setting_sources(CLI::App& subcommand, const std::vector<setting>& table, parse_state& state)
    : subcommand_(subcommand), state_(state) {
  for (const setting& each : table) names_.push_back(each.name);
}

void setting_sources::read_environment() const {
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

void setting_sources::read_file(const std::string& path) const {
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

void setting_sources::check_item(const CLI::ConfigItem& item, const std::string& path) const {
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

CLI::Option* setting_sources::option_of(const std::string& name) const {
  return subcommand_.get_option_no_throw("--" + name);
}

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

}  // namespace ordem::app
