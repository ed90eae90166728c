// `ordem verify`: compares a Postgres database with a data folder.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Prints a line for each difference, and the number of compared records. Returns the exit code: 1 if there is a
// difference or the comparison failed.
int verify(const verify_command& what);

}  // namespace ordem::app
