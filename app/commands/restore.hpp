// `ordem restore`: a data folder made anew from Postgres.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Prints how far it is, and what came of it; a sentence on standard error if it failed. Returns the exit code.
int restore(const restore_command& what);

}  // namespace ordem::app
