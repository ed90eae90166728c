// `ordem restore`: creates a data folder from a Postgres database.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Prints its progress on standard error and the result on standard output, or an error. Returns the exit code.
int restore(const restore_command& what);

}  // namespace ordem::app
