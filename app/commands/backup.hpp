// `ordem backup`: lets a running server make a back-up, and checks it; `ordem backup verify`: checks one.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Each returns the exit code, and prints what the back-up holds, or the reason on standard error.
//
// Waits until the server has made the back-up. Checks it if it is on this machine.
int backup(const backup_command& what);
int verify_backup(const verify_backup_command& what);

}  // namespace ordem::app
