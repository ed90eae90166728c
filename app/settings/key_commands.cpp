#include <fmt/format.h>

#include <memory>

#include "app/settings/commands.hpp"
#include "app/settings/option_kinds.hpp"
#include "app/settings/setting_sources.hpp"
#include "app/settings/settings_table.hpp"
#include "auth/keys/certificate_subject.hpp"
#include "auth/names.hpp"

namespace ordem::app {
namespace {

// --config and --keys, which find the keys file as `ordem serve` does.
struct keys_file_options {
  std::string config;
  std::string keys_file;
};

void add_keys_file(CLI::App& subcommand, keys_file_options& given, parse_state& state) {
  settings unused;
  add_config(subcommand, given.config, "The file with the server's settings",
             {subcommand, settings_table(unused), state});
  add_setting(subcommand, {"keys", text_option(given.keys_file, "FILE"), "The keys file"});
}

std::string required_file(const keys_file_options& given) {
  if (given.keys_file.empty()) {
    throw usage_error("no keys file is given; name it by --keys, in ORDEM_KEYS or in the file that --config names");
  }
  return given.keys_file;
}

std::string checked_name(const std::string& name) {
  if (!auth::is_name(name)) throw usage_error(fmt::format("--name must be {}", auth::name_rule));
  return name;
}

struct create_options {
  keys_file_options file;
  key_create_command what;
  std::string scopes;
};

key_create_command checked(create_options& given) {
  key_create_command& what = given.what;
  what.keys_file = given.file.keys_file;
  checked_name(what.name);
  if (!auth::is_tenant(what.tenant)) throw usage_error(fmt::format("--tenant must be {}", auth::tenant_rule));
  const auto scopes = auth::parse_scope_list(given.scopes);
  if (!scopes) throw usage_error("--scopes " + scopes.error());
  what.scopes = *scopes;
  if (what.certificate_subject.empty()) return what;
  if (const auto error = auth::subject_error(what.certificate_subject)) {
    throw usage_error("--certificate-subject " + *error);
  }
  return what;
}

void add_create(CLI::App& key, parse_state& state) {
  auto& create = *key.add_subcommand("create", "Make an API key, or let a client certificate in");
  const auto options = std::make_shared<create_options>();
  add_keys_file(create, options->file, state);
  create.add_option("--name", options->what.name, "The name of the identity, which orders and messages show")
      ->required()
      ->type_name("NAME");
  create.add_option("--tenant", options->what.tenant, "Its tenant; by default the empty one")->type_name("TENANT");
  create
      .add_option("--scopes", options->scopes,
                  "What it may do, separated by commas: " +
                      auth::to_string(auth::scope_set{auth::scope::orders_read, auth::scope::orders_write,
                                                      auth::scope::messages_read, auth::scope::captures,
                                                      auth::scope::operations}))
      ->required()
      ->type_name("SCOPES");
  constexpr auto lifetime_max = std::chrono::hours(100 * 366 * 24);
  duration_option(options->what.lifetime, {.most = lifetime_max, .zero = "for ever"})
      .add_to(create, "--expires", "How long the key counts, such as 90d; 0: for ever");
  create
      .add_option("--certificate-subject", options->what.certificate_subject,
                  "Instead of a key: the subject of a client certificate (RFC 4514), as openssl x509 -noout -subject "
                  "-nameopt RFC2253 prints it")
      ->type_name("SUBJECT");
  create.footer(
      "Prints the key, once: only its hash is kept. With --keys its line is added to the keys file, which is made with\n"
      "mode 0600 if it does not exist; without it the line is printed as a second line. A name may have several keys, so\n"
      "that one can be replaced: create the new one, change the client, revoke the old one. A server that uses the file\n"
      "takes a change within about a second.");
  create.callback([options, &state] { state.result = checked(*options); });
}

void add_list(CLI::App& key, parse_state& state) {
  auto& list = *key.add_subcommand("list", "Print the identities of the keys file");
  const auto options = std::make_shared<keys_file_options>();
  add_keys_file(list, *options, state);
  list.callback([options, &state] { state.result = key_list_command{required_file(*options)}; });
}

void add_revoke(CLI::App& key, parse_state& state) {
  struct revoke_options {
    keys_file_options file;
    key_revoke_command what;
  };
  auto& revoke = *key.add_subcommand("revoke", "Remove a key or a certificate from the keys file");
  const auto options = std::make_shared<revoke_options>();
  add_keys_file(revoke, options->file, state);
  revoke.add_option("NAME", options->what.name, "The name of the identity")->required();
  revoke.add_option("--id", options->what.id, "Which one, if the name has several: its id in ordem key list")
      ->type_name("ID");
  revoke.callback([options, &state] {
    options->what.keys_file = required_file(options->file);
    state.result = options->what;
  });
}

}  // namespace

void add_key_commands(CLI::App& ordem, parse_state& state) {
  auto& key = *ordem.add_subcommand("key", "Make, list and revoke API keys");
  key.require_subcommand(1);
  add_create(key, state);
  add_list(key, state);
  add_revoke(key, state);
}

}  // namespace ordem::app
