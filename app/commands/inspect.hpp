// `ordem inspect`: prints a record of a data folder, which a server may be using.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Each prints the record as JSON, or an error on standard error if it does not exist. Returns the exit code.
int inspect(const inspect_order_command& what);
int inspect(const inspect_message_command& what);
int inspect(const inspect_capture_command& what);

}  // namespace ordem::app
