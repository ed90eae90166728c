// `ordem verify`: whether Postgres and a data folder say the same.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Prints a line for every difference, and what was compared. Returns the exit code: 1 if there is any difference.
int verify(const verify_command& what);

}  // namespace ordem::app
