// Checks the migrations of a database against those of this program. Pure functions, any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/model/time.hpp"

namespace ordem::storage {

// A migration of this program. They are numbered 1, 2, 3, ..., and lists of them are in that order.
struct known_migration {
  int number = 0;
  std::string name;      // that of the file without its extension: 0001_engine_positions
  std::string checksum;  // SHA-256 of the file, hexadecimal
};

// A migration that was applied to a database, from the table ordem_migrations.
struct applied_migration {
  int number = 0;
  std::string name;
  std::string checksum;
  timestamp applied_at;
};

// Returns a message that says why this program must not change a database with that history: the history is newer, has
// a gap, or contains a migration whose file was edited since. Returns nullopt if there is no such conflict, even if
// migrations are pending. REQUIRES: both lists ascend by number.
std::optional<std::string> check_history(std::span<const known_migration> known,
                                         std::span<const applied_migration> applied);

// As check_history(), but also returns a message if migrations are pending.
std::optional<std::string> history_error(std::span<const known_migration> known,
                                         std::span<const applied_migration> applied);

}  // namespace ordem::storage
