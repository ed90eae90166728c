// The table of all settings of `ordem serve`: their options, the variables of the environment, the names in a file and
// the lines printed at start all come from it. docs/operations.md, the chart and deploy/debian/ordem.conf are checked
// against the help that it makes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/settings/option_kinds.hpp"
#include "app/settings/settings.hpp"

namespace ordem::app {

struct setting {
  std::string name;  // of the option, without its dashes
  option_kind kind;
  std::string help;
};

// Gives `values` the defaults that depend on the machine, and returns the settings in the order of the help. Without
// --config, which is not a setting in itself. REQUIRES: `values` outlives the table and stays where it is.
std::vector<setting> settings_table(settings& values);

// Returns those of them that name a cluster and its NATS: cluster, nats, nats-credentials, nats-ca, nats-certificate
// and nats-key. REQUIRES: likewise.
std::vector<setting> cluster_settings_table(cluster_settings& values);

inline constexpr std::string_view environment_prefix = "ORDEM_";

// Returns the variable of the environment for a setting: ORDEM_MAX_BODY for max-body.
std::string environment_name(const std::string& name);

// Returns the help text with the variable of the environment behind it, in brackets.
std::string with_environment_name(const std::string& help, const std::string& name);

}  // namespace ordem::app
