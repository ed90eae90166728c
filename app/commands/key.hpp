// `ordem key`: makes, lists and revokes the API keys and certificates of a keys file.
#pragma once

#include "app/settings/command_line.hpp"

namespace ordem::app {

// Each returns the exit code, with an error on standard error.

// Prints the new key on standard output, and its line for the keys file where that was not named; hints go to standard
// error.
int key(const key_create_command& what);
// Prints a table.
int key(const key_list_command& what);
int key(const key_revoke_command& what);

}  // namespace ordem::app
