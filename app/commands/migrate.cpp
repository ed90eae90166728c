#include "app/commands/migrate.hpp"

#include <iostream>

#include "app/commands/failure.hpp"
#include "storage/postgres/migrations.hpp"

namespace ordem::app {
namespace {

void print_nothing_pending() {
  std::cout << "nothing to do: every migration is applied\n";
}

int print_pending(const std::string& postgres_url) {
  const auto schema = storage::read_schema(postgres_url);
  if (!schema) return fail(schema.error().message);
  if (schema->conflict) return fail(*schema->conflict);
  bool any = false;
  for (const auto& migration : schema->migrations) {
    if (migration.applied_at) continue;
    std::cout << "would apply " << migration.name << "\n";
    any = true;
  }
  if (!any) print_nothing_pending();
  return 0;
}

}  // namespace

int migrate(const migrate_command& what) {
  if (what.dry_run) return print_pending(what.postgres_url);
  bool any = false;
  storage::migration_settings settings;
  settings.postgres_url = what.postgres_url;
  settings.lock_timeout = what.lock_timeout;
  settings.on_applied = [&any](std::string_view name) {
    std::cout << "applied " << name << "\n" << std::flush;  // now, because the next migration may take long
    any = true;
  };
  if (const auto applied = storage::apply_migrations(settings); !applied) return fail(applied.error().message);
  if (!any) print_nothing_pending();
  return 0;
}

int migrate(const migrate_status_command& what) {
  const auto schema = storage::read_schema(what.postgres_url);
  if (!schema) return fail(schema.error().message);
  for (const auto& migration : schema->migrations) {
    std::cout << migration.name << "  " << (migration.applied_at ? to_rfc3339(*migration.applied_at) : "pending")
              << "\n";
  }
  return schema->conflict ? fail(*schema->conflict) : 0;
}

}  // namespace ordem::app
