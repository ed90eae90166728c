// `ordem cluster init`: makes the log of a new cluster in NATS.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Returns the exit code.
int cluster_init(const cluster_init_command& what);

}  // namespace ordem::app
