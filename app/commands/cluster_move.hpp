// `ordem cluster move`: lets another node own the log.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Returns the exit code.
int cluster_move(const cluster_move_command& what);

}  // namespace ordem::app
