// `ordem serve`: opens the data, serves it, and stops without losing anything.
#pragma once

#include "app/settings/settings.hpp"

namespace ordem::app {

// Returns the exit code: 0 after a stop that was asked for, 1 if it could not start.
int serve(const settings& given);

}  // namespace ordem::app
