// Which cluster a command means, and how its NATS is reached. Parsed with the command line, on the main thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/settings/settings_table.hpp"
#include "cluster/nats/nats_settings.hpp"

namespace ordem::app {

struct cluster_settings {
  std::string name;             // empty: none
  std::string nats_urls;        // as they were given. Secret: they may hold a password
  cluster::nats_settings nats;  // the files as they were given; the rest from complete()
};

// The settings cluster, nats, nats-credentials, nats-ca, nats-certificate and nats-key. REQUIRES: as settings_table().
std::vector<setting> cluster_settings_table(cluster_settings& values);

// Parses the URLs. Returns the error of a setting as a sentence without secrets, or nullopt. REQUIRES: a name or a URL
// was given.
std::optional<std::string> complete(cluster_settings& values);

}  // namespace ordem::app
