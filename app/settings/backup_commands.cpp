#include <filesystem>
#include <memory>

#include "app/settings/commands.hpp"
#include "app/settings/option_kinds.hpp"
#include "http-edge/client/https_client.hpp"

namespace ordem::app {
namespace {

backup_command checked(const backup_command& given) {
  backup_command what = given;
  if (what.to.empty()) throw usage_error("--to is missing: name the folder of the back-up");
  // The name of a folder is taken as it is: it is below the server's --backup-root.
  if (what.to.find('/') != std::string::npos) {
    std::error_code ignored;
    what.to = std::filesystem::absolute(what.to, ignored).lexically_normal().string();
  }
  if (!what.url.starts_with("http://") && !what.url.starts_with("https://"))
    throw usage_error("--url must begin with http:// or https://");
  while (what.url.ends_with('/')) what.url.pop_back();
  if (!what.api_key_file.empty() && !http_edge::keeps_secrets(what.url))
    throw usage_error(
        "--url must be https, or a loopback address: an API key must not be sent where others can read it");
  return what;
}

}  // namespace

void add_backup_commands(CLI::App& ordem, parse_state& state) {
  auto& backup = *ordem.add_subcommand("backup", "Make a back-up of a running server, and check it");
  const auto what = std::make_shared<backup_command>();
  what->url = "http://127.0.0.1:8080";
  backup
      .add_option("--to", what->to,
                  "The folder to make, on the server's machine: its name, or its path, directly below the server's "
                  "--backup-root")
      ->type_name("FOLDER");
  text_option(what->url, "URL")
      .add_to(backup, "--url", "The server's listener for operations, or its main one if it has no such listener");
  file_option(what->api_key_file)
      .add_to(backup, "--api-key-file",
              "A file with an API key that has the scope operations, - for standard input; by default none is sent");
  file_option(what->ca_file)
      .add_to(backup, "--ca-file", "The authorities, as PEM, of the server's certificate; by default the system's");
  backup.footer(
      "The server makes the back-up while it goes on: hard links where the folder is on the file system of the data,\n"
      "copies elsewhere. The result is a data folder with a manifest. If it is on this machine, it is checked as\n"
      "`ordem backup verify` does. Exit code 0 if it was made and nothing is wrong with it.");

  auto& verify = *backup.add_subcommand("verify", "Check a back-up: its files, and its data against its log");
  const auto checked_folder = std::make_shared<verify_backup_command>();
  verify.add_option("FOLDER", checked_folder->folder, "The back-up")->required()->type_name("");
  verify.footer(
      "Changes nothing. Reads all of it: every file against its hash, every version of an order in the log against the\n"
      "data, every record. Exit code 0 if the back-up is intact, 1 if it is not.");
  verify.callback([checked_folder, &state] { state.result = *checked_folder; });
  // CLI11 calls this after the callback of `verify`, if that was given.
  backup.callback([&backup, what, &state] {
    if (backup.get_subcommands().empty()) state.result = checked(*what);
  });
}

}  // namespace ordem::app
