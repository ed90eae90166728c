// The machine's clocks, for the whole program; tests have their own.
#pragma once

#include "engine/model/engine_clock.hpp"

namespace ordem::app {

// The wall clock as it is, for the program's own log.
timestamp system_time() noexcept;

// What the clock of an engine is made of.
clock_sources machine_clocks();

}  // namespace ordem::app
