// Brings a Postgres database to the tables that this program needs: the files of migrations/, which are compiled in.
// migrations/README.md says by which rules they are written. Each function opens a connection of its own; any thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/time.hpp"
#include "storage/log/error.hpp"
#include "storage/postgres/postgres.hpp"

namespace ordem::storage {

// One migration, of the program or of the database.
struct migration_state {
  std::string name;
  std::optional<timestamp> applied_at;  // nothing while it is pending
};

struct schema_state {
  std::vector<migration_state> migrations;  // in their order; those that only the database knows come last
  // Why this program can't use or migrate the database (see check_history), or nothing.
  std::optional<std::string> conflict;
};

// Looks, and changes nothing.
result<schema_state> read_schema(const std::string& postgres_url);

struct migration_settings {
  std::string postgres_url;
  // How long to wait for another run to end, and for each lock on a table that others use.
  std::chrono::milliseconds lock_timeout = std::chrono::seconds(30);
  // Told the name of each migration once it is committed.
  std::function<void(std::string_view)> on_applied = [](std::string_view) {};
};

// Applies what is pending, in order, each migration in a transaction of its own. Runs at once take turns, migration by
// migration. After a
// failure the migrations told to on_applied are there, and nothing of the others.
result<void> apply_migrations(const migration_settings& settings);

}  // namespace ordem::storage
