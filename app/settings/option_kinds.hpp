// The kinds of values on the command line: each connects an option of CLI11 to the variable that it sets. Used only
// while the command line is parsed, on the main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ordem::app {

// How an option takes its value. REQUIRES: the variable outlives the option and the kind.
struct option_kind {
  // Adds the option to the command, with the variable's present value as its default.
  std::function<CLI::Option*(CLI::App& subcommand, const std::string& flag, const std::string& help)> add_to;
  // Returns the variable's value as a user writes it, without passwords.
  std::function<std::string()> text;
};

// A text that `check` accepts. `type_name` stands for the value in the help, as in --data-dir FOLDER.
option_kind text_option(std::string& value, const std::string& type_name, const CLI::Validator& check = {});
option_kind folder_option(std::filesystem::path& value);
// The path of a file, of which there is none by default.
option_kind file_option(std::string& value);
option_kind ip_address_option(std::string& value);
// Names of hosts, separated by commas; or "*" among them.
option_kind host_names_option(std::vector<std::string>& value);
// One of these words.
option_kind word_option(std::string& value, const std::vector<std::string>& words);
// Shown without its password; checked by postgres_url_error() once all settings are known.
option_kind postgres_url_option(std::string& value);

// URLs of NATS, shown without their secrets; checked by complete() in cluster_settings.hpp.
option_kind nats_urls_option(std::string& value);

// A number of bytes from `least` to 1024GiB, with a unit: 64KiB.
option_kind size_option(std::size_t& bytes, std::size_t least);

struct duration_bounds {
  std::chrono::hours most = std::chrono::hours(366 * 24);
  std::string_view zero;  // the meaning of 0, which is refused if this is empty
};
// A time from 1ms to `bounds.most`, with a unit: 30s.
option_kind duration_option(std::chrono::milliseconds& value, const duration_bounds& bounds = {});

template <class Number>
option_kind number_option(Number& value, std::uint64_t least, std::uint64_t most) {
  const auto text = [&value] { return std::to_string(value); };
  const auto add = [=, &value](CLI::App& subcommand, const std::string& flag, const std::string& help) {
    return subcommand.add_option(flag, value, help)
        ->default_str(text())
        ->check(CLI::Range(least, most).description(""))
        ->type_name("NUMBER");
  };
  return {add, text};
}

// A port to listen on, of which there is none by default; 0 takes any free one.
option_kind optional_port_option(std::optional<std::uint16_t>& value);

// One of these words, each of which stands for a value.
template <class Value>
option_kind choice_option(Value& value, const std::map<std::string, Value>& choices) {
  const auto text = [&value, choices] {
    for (const auto& [name, meaning] : choices) {
      if (meaning == value) return name;
    }
    return std::string();
  };
  // Not by CLI11's CheckedTransformer: its error prints the value of an enum of one byte as a character.
  const auto add = [=, &value](CLI::App& subcommand, const std::string& flag, const std::string& help) {
    std::vector<std::string> names;
    names.reserve(choices.size());
    for (const auto& choice : choices) names.push_back(choice.first);
    const auto set = [&value, choices](const std::string& name) { value = choices.at(name); };
    return subcommand.add_option_function<std::string>(flag, set, help)
        ->default_str(text())
        ->check(CLI::IsMember(names).description(""))
        ->type_name(CLI::detail::join(names, "|"));
  };
  return {add, text};
}

}  // namespace ordem::app
