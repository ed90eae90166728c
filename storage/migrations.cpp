#include "storage/migrations.hpp"

#include <pqxx/binarystring>
#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/result>
#include <pqxx/transaction>
#include <span>
#include <utility>

#include "storage/migration_history.hpp"
#include "storage/postgres_connection.hpp"
#include "storage/schema_check.hpp"

namespace ordem::embedded {
extern const std::span<const std::pair<std::string_view, std::string_view>> migrations;
}

namespace ordem::storage {
namespace {

// What advisory lock a run holds, in its database: "ordem" in ASCII.
constexpr const char* take_run_lock = "SELECT pg_advisory_lock(x'6f7264656d'::bigint)";

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

tl::unexpected<postgres_failure> failure(std::string sentence) {
  return tl::make_unexpected(postgres_failure{std::move(sentence)});
}

// SHA-256, because it is the one that everybody can check with sha256sum; by Postgres, because it has it.
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
  state.contradiction = contradiction_between(found.known, found.applied);
  auto applied = found.applied.begin();
  for (const known_migration& each : found.known) {
    const bool is_there = applied != found.applied.end() && applied->number == each.number;
    state.migrations.push_back({each.name, is_there ? std::optional(applied->applied_at) : std::nullopt});
    if (is_there) ++applied;
  }
  for (; applied != found.applied.end(); ++applied) state.migrations.push_back({applied->name, applied->applied_at});
  return state;
}

std::string in_words(milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

// Why a migration was not applied.
std::string sentence_about(const known_migration& migration, const std::exception& error, bool is_connected,
                           milliseconds lock_timeout) {
  if (!is_connected) {
    return "the connection to Postgres was lost during the migration " + migration.name +
           "; ordem migrate status tells whether it was applied";
  }
  const std::string nothing_of_it = "; nothing of it was applied";
  if (is_lock_timeout(error)) {
    return "the migration " + migration.name + " waited " + in_words(lock_timeout) +
           " for a table that another session has locked (see pg_locks)" + nothing_of_it;
  }
  return "the migration " + migration.name + " has failed: " + told_by_postgres(error) + nothing_of_it;
}

void apply(pqxx::connection& connection, const known_migration& migration, bool has_table) {
  pqxx::work transaction(connection);
  if (!has_table) transaction.exec(make_history);
  transaction.exec(std::string(embedded::migrations[static_cast<std::size_t>(migration.number) - 1].second));
  transaction.exec_params0("INSERT INTO ordem_migrations VALUES ($1, $2, $3, now())", migration.number, migration.name,
                           migration.checksum);
  transaction.commit();
}

// Waits for the turn of this run. The lock goes with the connection.
tl::expected<history, postgres_failure> begin_run(pqxx::connection& connection, milliseconds lock_timeout) {
  try {
    pqxx::nontransaction session(connection);
    session.exec("SET client_min_messages = warning");
    session.exec("SET lock_timeout = " + std::to_string(lock_timeout.count()));
    session.exec(take_run_lock);
    return read_history(session);
  } catch (const std::exception& error) {
    if (is_lock_timeout(error)) {
      return failure("another ordem migrate has been at work on this database for more than " + in_words(lock_timeout) +
                     "; nothing was applied");
    }
    if (!connection.is_open()) return failure("the connection to Postgres was lost; nothing was applied");
    return failure("the migrations of the database can't be read: " + told_by_postgres(error));
  }
}

}  // namespace

tl::expected<schema_state, postgres_failure> read_schema(const std::string& postgres_url) {
  auto connection = connect_to_postgres(postgres_url);
  if (!connection) return tl::make_unexpected(connection.error());
  try {
    pqxx::read_transaction transaction(**connection);
    return state_of(read_history(transaction));
  } catch (const std::exception& error) {
    return failure("the migrations of the database can't be read: " + told_by_postgres(error));
  }
}

tl::expected<void, postgres_failure> apply_migrations(const migration_settings& settings) {
  auto connection = connect_to_postgres(settings.postgres_url);
  if (!connection) return tl::make_unexpected(connection.error());
  const auto found = begin_run(**connection, settings.lock_timeout);
  if (!found) return tl::make_unexpected(found.error());
  if (auto contradiction = contradiction_between(found->known, found->applied)) return failure(*contradiction);

  bool has_table = found->has_table;
  for (const known_migration& each : std::span(found->known).subspan(found->applied.size())) {
    try {
      apply(**connection, each, has_table);
    } catch (const std::exception& error) {
      return failure(sentence_about(each, error, (*connection)->is_open(), settings.lock_timeout));
    }
    has_table = true;
    settings.on_applied(each.name);
  }
  return {};
}

std::optional<std::string> objection_to_schema(pqxx::transaction_base& transaction) {
  const history found = read_history(transaction);
  return objection_to_history(found.known, found.applied);
}

}  // namespace ordem::storage
