#include "app/settings/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>

#include "app/settings/commands.hpp"
#include "app/settings/postgres_url.hpp"
#include "app/settings/settings_table.hpp"
#include "cluster/nats/nats_settings.hpp"

namespace ordem::app {
namespace {

// True for "NAME=" and "--name=".
bool has_empty_value(const std::string& text) {
  const auto equals = std::find(text.begin(), text.end(), '=');
  return equals != text.end() && equals + 1 == text.end();
}

// An empty variable counts as unset: compose files and units write it so.
std::vector<std::string> without_empty(std::vector<std::string> environment) {
  environment.erase(std::remove_if(environment.begin(), environment.end(), has_empty_value), environment.end());
  return environment;
}

// Returns the value in a word of the command line: of --name=value, or the word itself.
std::string value_of(const std::string& word) {
  const auto equals = word.starts_with('-') ? word.find('=') : std::string::npos;
  return equals == std::string::npos ? word : word.substr(equals + 1);
}

// Returns the value with its secrets masked, if it may be a URL of NATS or of Postgres.
std::string masked_value(const std::string& value) {
  if (value.starts_with("nats://") || value.starts_with("tls://")) return cluster::masked_nats_urls(value);
  const bool may_have_password = value.find("://") != std::string::npos || value.find('=') != std::string::npos;
  return may_have_password ? masked(value) : value;
}

// Returns `text` with the secrets of `value` masked, whichever option it was meant for. CLI11 quotes some values in
// lower case.
std::string without_password(const std::string& text, const std::string& value) {
  const std::string mask = masked_value(value);
  if (mask == value) return text;
  const auto is_same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  std::string out;
  for (auto rest = text.begin();;) {
    const auto found = std::search(rest, text.end(), value.begin(), value.end(), is_same);
    out.append(rest, found);
    if (found == text.end()) return out;
    out += mask;
    rest = found + static_cast<std::ptrdiff_t>(value.size());
  }
}

// By hand, since CLI11 takes the next argument as the value of an option whose value is empty.
void refuse_empty_values(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string& word = arguments[i];
    const bool next_is_empty = i + 1 < arguments.size() && arguments[i + 1].empty();
    if (!word.starts_with("--") || !(has_empty_value(word) || next_is_empty)) continue;
    const std::string name = word.substr(0, word.find('='));
    throw usage_error(fmt::format("the value of '{}' is empty", without_password(name, name)));
  }
}

// Turns `help serve` into `serve --help`, which CLI11 answers.
std::vector<std::string> without_help_command(const std::vector<std::string>& arguments) {
  const bool is_help =
      !arguments.empty() && arguments.front() == "help" &&
      std::none_of(arguments.begin(), arguments.end(), [](const std::string& word) { return word.starts_with('-'); });
  if (!is_help) return arguments;
  std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  words.emplace_back("--help");
  return words;
}

// By hand, since CLI11 would only say that a command is missing.
void check_command_names(const CLI::App& ordem, const std::vector<std::string>& arguments) {
  const CLI::App* at = &ordem;
  for (const std::string& word : arguments) {
    const auto known = at->get_subcommands({});
    if (word.starts_with('-') || known.empty()) return;
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const CLI::App* each) { return each->get_name() == word; });
    if (found == known.end()) {
      throw usage_error(fmt::format("'{}' is not a command; ordem --help lists the commands",
                                    without_password(word, value_of(word))));
    }
    at = *found;
  }
}

void add_version_and_help(CLI::App& ordem, parse_state& state) {
  ordem.add_subcommand("version", "Print the version of this program, of its data format, and what it was built from")
      ->callback([&state] { state.result = version_command{}; });
  ordem.set_version_flag("-v,-V,--version", std::string(), "The same as the command version");
  // Only listed here: without_help_command() replaces it.
  ordem.add_subcommand("help", "Explain a command, as in ordem help inspect order")
      ->add_option_function<std::vector<std::string>>(
          "COMMAND", [](const std::vector<std::string>&) {},
          "The words of the command; without any, all commands are listed");
}

// Returns the error of CLI11 without the passwords that it may quote.
command_line_end describe(const CLI::App& ordem, const CLI::ParseError& error, const parse_state& state) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = ordem.exit(error, out, err);
  if (code == 0) return {0, out.str()};
  std::string message = error.what();
  const std::vector<std::string> unknown = ordem.remaining(true);
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !unknown.empty()) {
    if (ordem.get_subcommands().empty()) {
      message = fmt::format("'{}' is not an option of ordem itself", unknown.front());
    } else {
      message +=
          fmt::format("; '{}' is not an option of this command: put an argument that begins with - last, after --",
                      unknown.front());
    }
  }
  for (const std::string& value : state.inputs) message = without_password(message, value);
  return {2, fmt::format("ordem: {}\nordem --help lists the commands and options.\n", message)};
}

}  // namespace

std::optional<std::string> value_in_environment(const std::string& name, const parse_state& state) {
  const std::string prefix = environment_name(name) + "=";
  std::optional<std::string> value;
  for (const std::string& variable : state.environment) {
    if (variable.starts_with(prefix)) value = variable.substr(prefix.size());
  }
  return value;
}

tl::expected<command, command_line_end> parse_command_line(const std::vector<std::string>& arguments,
                                                           const std::vector<std::string>& environment) {
  parse_state state{without_empty(environment), {}, std::nullopt};
  CLI::App ordem(
      "Ordem executes every create and update of an order exactly once.\n"
      "Each request carries a GUID; a repeated GUID gets the original response.");
  ordem.name("ordem");
  ordem.require_subcommand(1);
  ordem.footer("Each command has its own help: ordem serve --help");
  add_server_commands(ordem, state);
  add_folder_commands(ordem, state);
  add_backup_commands(ordem, state);
  add_postgres_commands(ordem, state);
  add_cluster_commands(ordem, state);
  add_relay_command(ordem, state);
  add_key_commands(ordem, state);
  add_version_and_help(ordem, state);
  try {
    std::vector<std::string> words = without_help_command(arguments);
    refuse_empty_values(words);
    check_command_names(ordem, words);
    for (const std::string& word : words) state.inputs.push_back(value_of(word));
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    ordem.parse(words);
    return state.result.value_or(version_command{});
  } catch (const CLI::CallForVersion&) {
    return version_command{};
  } catch (const CLI::ParseError& error) {
    return tl::make_unexpected(describe(ordem, error, state));
  } catch (const usage_error& error) {
    return tl::make_unexpected(command_line_end{2, fmt::format("ordem: {}\n", error.what())});
  }
}

}  // namespace ordem::app
