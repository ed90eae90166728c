// `ordem migrate`: creates or updates the tables of a Postgres database.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Each prints a line for each migration, or an error on standard error. Returns the exit code.
int migrate(const migrate_command& what);
int migrate(const migrate_status_command& what);

}  // namespace ordem::app
