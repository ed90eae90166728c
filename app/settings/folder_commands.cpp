#include <fmt/format.h>

#include <memory>

#include "actors/gateway.hpp"
#include "app/settings/commands.hpp"
#include "app/settings/option_kinds.hpp"
#include "app/settings/settings_table.hpp"
#include "engine/base/limits.hpp"
#include "http-edge/server/settings.hpp"

namespace ordem::app {
namespace {

void add_tenant(CLI::App& subcommand, std::string& tenant, const std::string& help) {
  const CLI::Validator check(
      [](const std::string& text) {
        return text.size() <= limits::tenant_bytes_max ? std::string() : "a tenant has at most 255 bytes";
      },
      "");
  text_option(tenant, "TENANT", check).add_to(subcommand, "--tenant", help);
}

struct inspect_values {
  std::string argument;
  std::string folder;
  std::string tenant;
};

// Adds `inspect NAME ARGUMENT`. `parse` makes the command of the values, or throws usage_error. `tenant_help`: of
// --tenant, which the command lacks if it is empty.
template <class Parse>
void add_inspect(CLI::App& inspect, parse_state& state, const std::string& name, const std::string& help,
                 const std::string& argument, const std::string& argument_help, const std::string& tenant_help,
                 Parse parse) {
  auto& subcommand = *inspect.add_subcommand(name, help);
  const auto given = std::make_shared<inspect_values>();
  subcommand.add_option(argument, given->argument, argument_help)->required();
  add_data_folder(subcommand, given->folder, "The folder with the data", state);
  if (!tenant_help.empty()) add_tenant(subcommand, given->tenant, tenant_help);
  subcommand.footer(fmt::format("If {} begins with -, put it last, after --.", argument));
  subcommand.callback([given, parse, &state] { state.result = parse(*given); });
}

inspect_order_command parse_order(const inspect_values& given) {
  const auto id = order_id::parse(given.argument);
  if (!id) throw usage_error(fmt::format("'{}' is not an order id, which is a UUID", given.argument));
  return {given.folder, *id};
}

inspect_message_command parse_message(const inspect_values& given) {
  const auto id = guid::parse(given.argument);
  if (!id) {
    throw usage_error(fmt::format("'{}' is not a GUID, which is 1 to 255 visible ASCII characters", given.argument));
  }
  return {given.folder, given.tenant, *id};
}

inspect_capture_command parse_capture(const inspect_values& given) {
  const auto key = capture_key::parse(given.argument);
  if (!key) throw usage_error(fmt::format("'{}' is not a key, which is base64url without padding", given.argument));
  return {given.folder, given.tenant, *key};
}

void add_inspect_commands(CLI::App& ordem, parse_state& state) {
  auto& inspect = *ordem.add_subcommand("inspect", "Print a record of a data folder, which may be in use");
  inspect.require_subcommand(1);
  add_inspect(inspect, state, "order", "Print an order with all its versions, as JSON", "ID", "The order's id", {},
              parse_order);
  add_inspect(inspect, state, "capture", "Print a capture with its response, as JSON", "KEY",
              "The capture's idempotency key, in base64url", "The tenant whose key it is", parse_capture);
  add_inspect(inspect, state, "message", "Print a message with its outcome, as JSON", "GUID", "The message's GUID",
              "The tenant whose GUID it is", parse_message);
}

void add_import_captures(CLI::App& ordem, parse_state& state) {
  auto& import = *ordem.add_subcommand("import", "Import the data of another server");
  import.require_subcommand(1);
  auto& captures = *import.add_subcommand("captures", "Import the captures of a checkr/idempotent-requests server");
  const auto what = std::make_shared<import_captures_command>();
  what->terms = actors::gateway_settings().captures;
  what->captured_bytes_max = http_edge::server_settings().captured_bytes_max;
  captures
      .add_option("FILE", what->file,
                  "The output of mongoexport for its collection, one document per line; - is standard input")
      ->required();
  add_data_folder(captures, what->data_folder, "The folder to import into; created if it does not exist", state);
  add_tenant(captures, what->tenant, "The tenant that gets the captures");
  duration_option(what->terms.lease, {.zero = "for ever"})
      .add_to(captures, "--capture-lease",
              "How long allocated captures exclude other callers, from now on; 0: for ever");
  duration_option(what->terms.ttl).add_to(captures, "--capture-ttl", "How long captures are kept, from now on");
  size_option(what->captured_bytes_max, 1024)
      .add_to(captures, "--capture-max", "The largest response that is imported");
  captures.footer(
      "No server may use the folder at the same time. Keys that the folder already has are left unchanged. Lines that\n"
      "cannot be imported are listed with the reason; the exit code is then 1.");
  captures.callback([what, &state] {
    if (const auto conflict = check_settings(what->terms)) throw usage_error(*conflict);
    state.result = *what;
  });
}

void add_upgrade(CLI::App& ordem, parse_state& state) {
  auto& upgrade =
      *ordem.add_subcommand("upgrade", "Bring a data folder of an earlier release up to the present data format");
  const auto what = std::make_shared<upgrade_command>();
  add_data_folder(upgrade, what->data_folder, "The folder with the data", state);
  upgrade.add_flag("--dry-run", what->dry_run, "Only say what would be done");
  upgrade.footer(
      "`ordem serve` does the same at its start. No server may use the folder at the same time. An upgrade that is cut\n"
      "off begins again; until it is done the folder keeps its format, with everything in it.");
  upgrade.callback([what, &state] { state.result = *what; });
}

}  // namespace

void add_folder_commands(CLI::App& ordem, parse_state& state) {
  add_inspect_commands(ordem, state);
  add_import_captures(ordem, state);
  add_upgrade(ordem, state);
}

void add_data_folder(CLI::App& subcommand, std::string& folder, const std::string& help, const parse_state& state) {
  constexpr const char* name = "data-dir";
  folder = value_in_environment(name, state).value_or("data");
  text_option(folder, "FOLDER").add_to(subcommand, std::string("--") + name, with_environment_name(help, name));
}

}  // namespace ordem::app
