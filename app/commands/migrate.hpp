// `ordem migrate`: brings a Postgres database to the tables that this program needs.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Each prints a line for each migration, or a sentence on standard error if it failed. Returns the exit code.
int migrate(const migrate_command& what);
int migrate(const migrate_status_command& what);

}  // namespace ordem::app
