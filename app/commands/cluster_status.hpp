// `ordem cluster status`: prints the state of a cluster.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Returns the exit code.
int cluster_status(const cluster_status_command& what);

}  // namespace ordem::app
