// `ordem ready`: asks the server on this machine whether it takes writes. For health checks where there is no curl.
#pragma once

#include "app/command_line.hpp"

namespace ordem::app {

// Prints a line, or a sentence on standard error if the server takes no writes or does not answer. Returns the exit
// code.
int ready(const ready_command& what);

}  // namespace ordem::app
