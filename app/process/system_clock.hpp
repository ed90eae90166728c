// The clocks of the machine. Thread-safe.
#pragma once

#include "engine/model/engine_clock.hpp"

namespace ordem::app {

// Returns the wall clock, for the program's own log. The engine uses engine_clock instead.
timestamp system_time() noexcept;

// Returns the sources of an engine_clock.
clock_sources machine_clocks();

}  // namespace ordem::app
