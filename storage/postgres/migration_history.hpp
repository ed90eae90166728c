// The migrations that the program has, those that a database has had, and whether the two fit. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/model/time.hpp"

namespace ordem::storage {

// A migration of this program. They are numbered 1, 2, 3, ... and handed about in that order.
struct known_migration {
  int number = 0;
  std::string name;      // as the file, without its ending: 0001_engine_positions
  std::string checksum;  // SHA-256 of the file, hexadecimal
};

// A migration that was applied to a database, as its table ordem_migrations has it.
struct applied_migration {
  int number = 0;
  std::string name;
  std::string checksum;
  timestamp applied_at;
};

// Why this program must not touch a database with that history, as a sentence: it is newer, or has a gap, or was made
// by a file that was edited since. Nothing if all that is wrong is that migrations are missing at the end. Both lists
// ascend by number.
std::optional<std::string> check_history(std::span<const known_migration> known,
                                         std::span<const applied_migration> applied);

// As above, and a sentence too if migrations are missing: what `ordem migrate` would apply.
std::optional<std::string> history_error(std::span<const known_migration> known,
                                         std::span<const applied_migration> applied);

}  // namespace ordem::storage
