// `ordem serve`: opens the data folder, serves it over HTTP, and stops without losing an acknowledged write.
#pragma once

#include "app/settings/settings.hpp"

namespace ordem::app {

// Blocks until SIGTERM or SIGINT. Returns the exit code: 0 after a stop on request, 1 if the start failed.
int serve(const settings& values);

}  // namespace ordem::app
