// Applies the migrations of this program to a Postgres database: the files of migrations/, which are compiled in. For
// their rules see migrations/README.md. Each function opens its own connection. Thread-safe.
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
  std::optional<timestamp> applied_at;  // nullopt: pending
};

struct schema_state {
  std::vector<migration_state> migrations;  // by number; those that only the database has come last
  // See check_history().
  std::optional<std::string> conflict;
};

// Changes nothing.
result<schema_state> read_schema(const std::string& postgres_url);

struct migration_settings {
  std::string postgres_url;
  // How long to wait for another run to end, and for each lock on a table.
  std::chrono::milliseconds lock_timeout = std::chrono::seconds(30);
  // Called with the name of each migration after its commit.
  std::function<void(std::string_view)> on_applied = [](std::string_view) {};
};

// Applies the pending migrations in order, each in its own transaction. Concurrent runs take turns, migration by
// migration. After a failure the database has the migrations that were passed to on_applied, and nothing of the others.
result<void> apply_migrations(const migration_settings& settings);

}  // namespace ordem::storage
