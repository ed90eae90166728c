#include "storage/postgres/migration_history.hpp"

namespace ordem::storage {

std::optional<std::string> check_history(std::span<const known_migration> known,
                                         std::span<const applied_migration> applied) {
  if (!applied.empty() && applied.back().number > static_cast<int>(known.size())) {
    return "the database has the migration " + applied.back().name + ", which this ordem does not know (it knows " +
           std::to_string(known.size()) + "): it was applied by a newer ordem; run that one";
  }
  for (std::size_t i = 0; i < applied.size(); ++i) {
    const applied_migration& found = applied[i];
    const int expected = static_cast<int>(i) + 1;
    if (found.number != expected) {
      return "the database has the migration " + found.name + " but not number " + std::to_string(expected) +
             " before it: its table ordem_migrations was changed by hand; restore the database from a back-up";
    }
    if (found.checksum != known[i].checksum) {
      return "the migration " + known[i].name +
             " is not the one that was applied to the database: its file was edited since (applied migrations are "
             "never edited; a change is a new migration)";
    }
  }
  return std::nullopt;
}

std::optional<std::string> history_error(std::span<const known_migration> known,
                                         std::span<const applied_migration> applied) {
  if (auto conflict = check_history(known, applied)) return conflict;
  if (applied.size() == known.size()) return std::nullopt;
  return "the database has " + std::to_string(applied.size()) + " of " + std::to_string(known.size()) +
         " migrations: run ordem migrate";
}

}  // namespace ordem::storage
