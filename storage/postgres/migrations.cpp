#include "storage/postgres/migrations.hpp"

#include <pqxx/binarystring>
#include <pqxx/connection>
#include <pqxx/result>
#include <pqxx/transaction>
#include <span>
#include <utility>

#include "storage/postgres/guarded.hpp"
#include "storage/postgres/migration_history.hpp"
#include "storage/postgres/postgres_connection.hpp"
#include "storage/postgres/schema_check.hpp"

namespace ordem::embedded {
extern const std::span<const std::pair<std::string_view, std::string_view>> migrations;
}

namespace ordem::storage {
namespace {

// Takes the advisory lock of migrations in this database: "ordem" in ASCII. The end of the transaction releases it.
constexpr const char* take_turn = "SELECT pg_advisory_xact_lock(x'6f7264656d'::bigint)";

constexpr const char* make_history = R"(
CREATE TABLE ordem_migrations (
  number     integer     PRIMARY KEY CHECK (number >= 1),
  name       text        NOT NULL,
  checksum   text        NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
  applied_at timestamptz NOT NULL
);
COMMENT ON TABLE ordem_migrations IS 'The migrations that this database has had. Written by ordem migrate; not to be changed by hand.';
COMMENT ON COLUMN ordem_migrations.number IS '1, 2, 3, ... without gaps: the order in which they were applied.';
COMMENT ON COLUMN ordem_migrations.name IS 'The file in migrations/, without its ending.';
COMMENT ON COLUMN ordem_migrations.checksum IS 'SHA-256 of the file, as sha256sum prints it. A file that has another one has been edited since.';
COMMENT ON COLUMN ordem_migrations.applied_at IS 'When its transaction began.';
)";

struct history {
  bool has_table = false;
  std::vector<known_migration> known;
  std::vector<applied_migration> applied;
};

// Computes checksums in Postgres, which has SHA-256. Users can check them with sha256sum.
std::vector<known_migration> known_migrations(pqxx::transaction_base& transaction) {
  std::vector<known_migration> known;
  for (const auto& [name, sql] : embedded::migrations) {
    const pqxx::binarystring bytes(sql.data(), sql.size());
    const auto checksum = transaction.exec_params1("SELECT encode(sha256($1), 'hex')", bytes)[0].as<std::string>();
    known.push_back({static_cast<int>(known.size()) + 1, std::string(name), checksum});
  }
  return known;
}

history read_history(pqxx::transaction_base& transaction) {
  history found;
  found.known = known_migrations(transaction);
  found.has_table = !transaction.exec1("SELECT to_regclass('ordem_migrations')")[0].is_null();
  if (!found.has_table) return found;
  const auto rows = transaction.exec(
      "SELECT number, name, checksum, floor(extract(epoch FROM applied_at) * 1000)::bigint FROM ordem_migrations "
      "ORDER BY number");
  for (const auto& row : rows) {
    found.applied.push_back({row[0].as<int>(), row[1].as<std::string>(), row[2].as<std::string>(),
                             timestamp(milliseconds(row[3].as<std::int64_t>()))});
  }
  return found;
}

schema_state state_of(const history& found) {
  schema_state state;
  state.conflict = check_history(found.known, found.applied);
  auto applied = found.applied.begin();
  for (const known_migration& each : found.known) {
    const bool is_applied = applied != found.applied.end() && applied->number == each.number;
    state.migrations.push_back({each.name, is_applied ? std::optional(applied->applied_at) : std::nullopt});
    if (is_applied) ++applied;
  }
  for (; applied != found.applied.end(); ++applied) state.migrations.push_back({applied->name, applied->applied_at});
  return state;
}

std::string text_of(milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

// Returns why a migration was not applied.
std::string message_about(const known_migration& migration, const std::exception& error, bool is_connected,
                          milliseconds lock_timeout) {
  if (!is_connected) {
    return "the connection to Postgres was lost during the migration " + migration.name +
           "; ordem migrate status shows whether it was applied";
  }
  const std::string not_applied = "; nothing of it was applied";
  if (is_lock_timeout(error)) {
    return "the migration " + migration.name + " waited " + text_of(lock_timeout) +
           " for a table that another session has locked (see pg_locks)" + not_applied;
  }
  return "the migration " + migration.name + " failed: " + postgres_error_text(error) + not_applied;
}

// Returns why no migration was begun. `applied`: how many of them this database is known to have.
std::string message_before(std::size_t applied, const std::exception& error, bool is_connected, bool has_turn,
                           milliseconds lock_timeout) {
  const std::string nothing =
      applied == 0 ? "; nothing was applied"
                   : "; the migration " + std::string(embedded::migrations[applied].first) + " was not applied";
  if (!is_connected) return "the connection to Postgres was lost" + nothing;
  if (!has_turn && is_lock_timeout(error)) {
    return "another ordem migrate has been running on this database for more than " + text_of(lock_timeout) + nothing;
  }
  return "the migrations of the database can't be read: " + postgres_error_text(error);
}

// Applies the first pending migration and returns it, or nullopt if none is pending. The lock and the settings end with
// the transaction, so they work behind a pooler.
result<std::optional<known_migration>> apply_next(postgres_connection& connection, std::size_t applied,
                                                  milliseconds lock_timeout) {
  std::optional<known_migration> next;
  bool has_turn = false;
  const auto apply = [&]() -> result<std::optional<known_migration>> {
    pqxx::work transaction(connection);
    transaction.exec("SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = " +
                     std::to_string(lock_timeout.count()));
    transaction.exec(take_turn);
    has_turn = true;
    const history found = read_history(transaction);
    if (auto conflict = check_history(found.known, found.applied))
      return fail_with(error_code::wrong_format, *conflict);
    if (found.applied.size() == found.known.size()) return std::nullopt;
    next = found.known[found.applied.size()];
    if (!found.has_table) transaction.exec(make_history);
    transaction.exec(std::string(embedded::migrations[found.applied.size()].second));
    transaction.exec_params0("INSERT INTO ordem_migrations VALUES ($1, $2, $3, now())", next->number, next->name,
                             next->checksum);
    transaction.commit();
    return next;
  };
  return run_guarded(apply, [&](const std::exception& error) {
    const bool is_connected = connection.is_open();
    if (next) return fail_with(error_code::unavailable, message_about(*next, error, is_connected, lock_timeout));
    return fail_with(error_code::unavailable, message_before(applied, error, is_connected, has_turn, lock_timeout));
  });
}

}  // namespace

result<schema_state> read_schema(const std::string& postgres_url) {
  auto connection = connect_to_postgres(postgres_url);
  if (!connection) return tl::make_unexpected(connection.error());
  const auto read = [&]() -> result<schema_state> {
    pqxx::read_transaction transaction(**connection);
    return state_of(read_history(transaction));
  };
  return run_guarded(read, [](const std::exception& error) {
    return fail_with(error_code::unavailable,
                     "the migrations of the database can't be read: " + postgres_error_text(error));
  });
}

result<void> apply_migrations(const migration_settings& settings) {
  auto connection = connect_to_postgres(settings.postgres_url);
  if (!connection) return tl::make_unexpected(connection.error());
  for (std::size_t applied = 0; applied < embedded::migrations.size();) {
    const auto next = apply_next(**connection, applied, settings.lock_timeout);
    if (!next) return tl::make_unexpected(next.error());
    if (!*next) break;
    settings.on_applied((*next)->name);
    applied = static_cast<std::size_t>((*next)->number);
  }
  return {};
}

std::optional<std::string> schema_error(pqxx::transaction_base& transaction) {
  const history found = read_history(transaction);
  return history_error(found.known, found.applied);
}

}  // namespace ordem::storage
