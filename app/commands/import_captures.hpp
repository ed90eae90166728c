// `ordem import captures`: imports the captures of a checkr/idempotent-requests server into a data folder.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Prints the number of imported captures, and each line that was refused; an error on standard error. Returns the exit
// code: 1 if a line was refused or the import failed.
int import_captures(const import_captures_command& what);

}  // namespace ordem::app
