// `ordem upgrade`: brings a data folder of the format before up to the present one, or says what that would do.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Returns the exit code.
int upgrade(const upgrade_command& what);

}  // namespace ordem::app
