// The ordem program.

#include <unistd.h>

#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "app/commands/backup.hpp"
#include "app/commands/cluster_init.hpp"
#include "app/commands/cluster_move.hpp"
#include "app/commands/cluster_status.hpp"
#include "app/commands/import_captures.hpp"
#include "app/commands/inspect.hpp"
#include "app/commands/key.hpp"
#include "app/commands/migrate.hpp"
#include "app/commands/ready.hpp"
#include "app/commands/relay.hpp"
#include "app/commands/restore.hpp"
#include "app/commands/serve.hpp"
#include "app/commands/upgrade.hpp"
#include "app/commands/verify.hpp"
#include "app/process/signals.hpp"
#include "app/process/version.hpp"
#include "app/settings/command_line.hpp"
#include "app/tracing/exporter_module.hpp"
#include "storage/records/data_format.hpp"

namespace {

using namespace ordem::app;

struct runner {
  int operator()(const serve_command& what) const { return serve(what.settings); }
  int operator()(const ready_command& what) const { return ready(what); }
  int operator()(const inspect_order_command& what) const { return inspect(what); }
  int operator()(const inspect_message_command& what) const { return inspect(what); }
  int operator()(const inspect_capture_command& what) const { return inspect(what); }
  int operator()(const import_captures_command& what) const { return import_captures(what); }
  int operator()(const migrate_command& what) const { return migrate(what); }
  int operator()(const migrate_status_command& what) const { return migrate(what); }
  int operator()(const restore_command& what) const { return restore(what); }
  int operator()(const verify_command& what) const { return verify(what); }
  int operator()(const upgrade_command& what) const { return upgrade(what); }
  int operator()(const backup_command& what) const { return backup(what); }
  int operator()(const verify_backup_command& what) const { return verify_backup(what); }
  int operator()(const key_create_command& what) const { return key(what); }
  int operator()(const key_list_command& what) const { return key(what); }
  int operator()(const key_revoke_command& what) const { return key(what); }
  int operator()(const relay_command& what) const { return relay(what); }
  int operator()(const cluster_init_command& what) const { return cluster_init(what); }
  int operator()(const cluster_status_command& what) const { return cluster_status(what); }
  int operator()(const cluster_move_command& what) const { return cluster_move(what); }
  int operator()(const version_command&) const {
    const build_info& build = this_build();
    std::cout << "ordem " << version_text << ", data format " << ordem::storage::data_format << "\n"
              << "commit " << build.commit << ", build type " << build.build_type << ", " << build.compiler
              << (is_built_with_tracing() ? ", with tracing" : ", without tracing") << "\n"
              << "built with " << build.libraries << "\n";
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  block_signals();
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  std::vector<std::string> environment;
  for (char** each = environ; *each != nullptr; ++each) environment.emplace_back(*each);

  const auto parsed = parse_command_line(arguments, environment);
  if (!parsed) {
    (parsed.error().exit_code == 0 ? std::cout : std::cerr) << parsed.error().text;
    return parsed.error().exit_code;
  }
  if (!std::holds_alternative<serve_command>(*parsed)) unblock_signals();
  return std::visit(runner{}, *parsed);
}
