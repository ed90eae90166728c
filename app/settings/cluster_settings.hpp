// Which cluster a server or a command means, and how its NATS is reached. Parsed with the command line, on the main
// thread.
#pragma once

#include <optional>
#include <string>

#include "cluster/nats/nats_settings.hpp"

namespace ordem::app {

struct cluster_settings {
  std::string name;             // empty: none
  std::string nats_urls;        // as they were given. Secret: they may hold a password
  cluster::nats_settings nats;  // the files as they were given; the rest from complete()
};

// Returns whether any of the settings was given.
bool is_given(const cluster_settings& values) noexcept;

// Parses the URLs. Returns the error of a setting as a sentence without secrets, or nullopt.
std::optional<std::string> complete(cluster_settings& values);

// This machine as a node of a cluster.
struct cluster_node_settings {
  std::string name;     // empty before complete(): the machine's name
  std::string address;  // HOST:PORT, where other machines reach its HTTP; empty: where it listens
};

// Gives the node a name if it has none. Returns the error of a setting as a sentence, or nullopt.
std::optional<std::string> complete(cluster_node_settings& values);

}  // namespace ordem::app
