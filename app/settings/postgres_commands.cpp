#include <memory>

#include "app/settings/commands.hpp"
#include "app/settings/option_kinds.hpp"
#include "app/settings/postgres_url.hpp"
#include "app/settings/settings_table.hpp"

namespace ordem::app {
namespace {

void add_postgres_url(CLI::App& subcommand, std::string& url) {
  constexpr const char* name = "postgres-url";
  const auto help = with_environment_name("The database: postgresql://user:password@host:5432/database", name);
  postgres_url_option(url)
      .add_to(subcommand, std::string("--") + name, help)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

// Returns the URL that an argument or, failing that, the environment has given.
std::string checked_url(const std::string& argument, const parse_state& state) {
  const std::string given = argument.empty() ? value_in_environment("postgres-url", state).value_or("") : argument;
  if (given.empty()) throw usage_error("no database is given: set --postgres-url or ORDEM_POSTGRES_URL");
  auto url = trimmed_postgres_url(given);
  if (const auto error = postgres_url_error(url)) throw usage_error("--postgres-url " + *error);
  return url;
}

void add_migrate(CLI::App& ordem, parse_state& state) {
  auto& migrate = *ordem.add_subcommand("migrate", "Create or update the tables of a Postgres database");
  auto& status = *migrate.add_subcommand("status", "Print which migrations the database has had, and when");
  const auto what = std::make_shared<migrate_command>();
  what->lock_timeout = std::chrono::seconds(30);
  add_postgres_url(migrate, what->postgres_url);
  add_postgres_url(status, what->postgres_url);
  const auto* dry_run =
      migrate.add_flag("--dry-run", what->dry_run, "Print the migrations that would be applied, and change nothing");
  const auto* lock_timeout =
      duration_option(what->lock_timeout, {.most = std::chrono::hours(24), .zero = {}})
          .add_to(migrate, "--lock-timeout", "How long to wait for another migrate, and for each locked table");
  migrate.footer(
      "Applies the pending migrations, each in its own transaction; when all are applied it does nothing.\n"
      "Two of them may run at once: they take turns. A migration cannot be undone: make a backup first.\n"
      "Others can see the arguments of a process: put a password into ORDEM_POSTGRES_URL, PGPASSWORD or ~/.pgpass.");
  migrate.callback([what, &status, dry_run, lock_timeout, &state] {
    if (!status.parsed()) {
      what->postgres_url = checked_url(what->postgres_url, state);
      state.result = *what;
      return;
    }
    if (dry_run->count() > 0 || lock_timeout->count() > 0) {
      throw usage_error("migrate status changes nothing: it takes neither --dry-run nor --lock-timeout");
    }
    state.result = migrate_status_command{checked_url(what->postgres_url, state)};
  });
}

// Adds restore or verify, which take the same options.
template <class Command>
CLI::App& add_url_and_folder(CLI::App& ordem, parse_state& state, const std::string& name, const std::string& help,
                             const std::string& folder_help) {
  auto& subcommand = *ordem.add_subcommand(name, help);
  const auto what = std::make_shared<Command>();
  add_postgres_url(subcommand, what->postgres_url);
  add_data_folder(subcommand, what->data_folder, folder_help, state);
  subcommand.callback([what, &state] {
    what->postgres_url = checked_url(what->postgres_url, state);
    state.result = *what;
  });
  return subcommand;
}

}  // namespace

void add_postgres_commands(CLI::App& ordem, parse_state& state) {
  add_migrate(ordem, state);
  add_url_and_folder<restore_command>(ordem, state, "restore", "Create a data folder from a Postgres database",
                                      "The folder to create; it must be empty or not there")
      .footer(
          "The folder gets all orders with their history and the GUIDs that have not expired, and continues at the\n"
          "position of the database. Acknowledged entries that were not yet written to Postgres are missing: see\n"
          "ordem_postgres_lag_*. Once a server uses the new folder, a server on the old folder accepts no more writes.");
  add_url_and_folder<verify_command>(ordem, state, "verify",
                                     "Compare a data folder with a Postgres database, order by order",
                                     "The folder to compare, which may be in use")
      .footer("Prints a line for each difference; the exit code is 1 if there is one.");
}

}  // namespace ordem::app
