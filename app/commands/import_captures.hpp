// `ordem import captures`: what a checkr/idempotent-requests server kept, brought into a data folder.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Prints how many were brought in, and each line that could not be; a sentence on standard error if it failed. Returns
// the exit code.
int import_captures(const import_captures_command& what);

}  // namespace ordem::app
