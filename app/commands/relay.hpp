// `ordem relay`: posts the events of a server's change feed to a URL, as signed webhooks.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Runs until SIGTERM or SIGINT, which give exit code 0, or until an error that another try would not mend.
int relay(const relay_command& what);

}  // namespace ordem::app
