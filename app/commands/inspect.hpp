// `ordem inspect`: looks into a data folder.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Each prints JSON, or a sentence on standard error if there is nothing of that name. Returns the exit code.
int inspect(const inspect_order_command& what);
int inspect(const inspect_message_command& what);
int inspect(const inspect_capture_command& what);

}  // namespace ordem::app
