// `ordem ready`: asks the server on this machine whether it accepts writes, or serves reads. For health checks on
// systems without curl.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Prints a line if the server is ready, else the reason on standard error. Returns the exit code.
int ready(const ready_command& what);

}  // namespace ordem::app
