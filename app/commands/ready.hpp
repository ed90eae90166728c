// `ordem ready`: asks the server on this machine whether it takes writes, or serves reads. For health checks where
// there is no curl.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Prints a line, or a sentence on standard error if the server does not, or does not answer. Returns the exit
// code.
int ready(const ready_command& what);

}  // namespace ordem::app
