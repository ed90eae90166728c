#include "app/settings/option_kinds.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <sstream>

#include "app/settings/postgres_url.hpp"
#include "cluster/nats/nats_settings.hpp"

namespace ordem::app {
namespace {

// The units by name, each with its size in the smallest one.
using unit_map = std::map<std::string, std::uint64_t>;

constexpr std::uint64_t ms_per_day = 86'400'000;
const unit_map duration_units = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", ms_per_day}};
const unit_map size_units = {{"", 1},
                             {"B", 1},
                             {"KiB", std::uint64_t{1} << 10},
                             {"MiB", std::uint64_t{1} << 20},
                             {"GiB", std::uint64_t{1} << 30}};

// Returns the amount in the largest unit that leaves it whole, except days: 48h, not 2d.
std::string with_unit(std::uint64_t amount, const unit_map& units) {
  if (amount == 0) return "0";
  std::pair<std::string, std::uint64_t> best = {"", 1};
  for (const auto& unit : units) {
    if (unit.first != "d" && amount % unit.second == 0 && unit.second >= best.second) best = unit;
  }
  return fmt::format("{}{}", amount / best.second, best.first);
}

struct unit_bounds {
  std::uint64_t least;
  std::uint64_t most;
};

// Turns "30s" or "64KiB" into a plain number in the smallest unit. The error is "'VALUE' RULE". If `bounds.least` is 0,
// a 0 needs no unit. By hand, since the errors of CLI11's AsNumberWithUnit name neither the bounds nor the units.
CLI::Validator number_with_unit(const unit_map& units, unit_bounds bounds, const std::string& rule) {
  return {[=, &units](std::string& text) {
            if (bounds.least == 0 && text == "0") return std::string();
            std::uint64_t number = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
            const auto unit_at = text.find_first_not_of(' ', static_cast<std::size_t>(end - text.data()));
            const auto unit = units.find(unit_at == std::string::npos ? std::string() : text.substr(unit_at));
            const bool fits = error == std::errc{} && unit != units.end() && number <= bounds.most / unit->second;
            if (!fits || number * unit->second < bounds.least) return fmt::format("'{}' {}", text, rule);
            text = std::to_string(number * unit->second);
            return std::string();
          },
          ""};
}

}  // namespace

option_kind text_option(std::string& value, const std::string& type_name, const CLI::Validator& check) {
  const auto add = [=, &value](CLI::App& subcommand, const std::string& flag, const std::string& help) {
    return subcommand.add_option(flag, value, help)->capture_default_str()->check(check)->type_name(type_name);
  };
  return {add, [&value] { return value; }};
}

option_kind folder_option(std::filesystem::path& value) {
  const auto text = [&value] { return value.string(); };
  const auto add = [=, &value](CLI::App& subcommand, const std::string& flag, const std::string& help) {
    const auto set = [&value](const std::string& folder) { value = folder; };
    return subcommand.add_option_function<std::string>(flag, set, help)->default_str(text())->type_name("FOLDER");
  };
  return {add, text};
}

option_kind file_option(std::string& value) {
  const auto add = [&value](CLI::App& subcommand, const std::string& flag, const std::string& help) {
    return subcommand.add_option(flag, value, help)->type_name("FILE");
  };
  return {add, [&value] { return value; }};
}

// By hand, since CLI11 has a validator for IPv4 alone.
option_kind ip_address_option(std::string& value) {
  const auto check = [](const std::string& text) {
    in6_addr any;
    const bool valid = ::inet_pton(AF_INET, text.c_str(), &any) == 1 || ::inet_pton(AF_INET6, text.c_str(), &any) == 1;
    return valid ? std::string() : fmt::format("'{}' is not an IP address", text);
  };
  return text_option(value, "ADDRESS", CLI::Validator(check, ""));
}

option_kind host_names_option(std::vector<std::string>& value) {
  const auto text = [&value] { return fmt::format("{}", fmt::join(value, ",")); };
  const auto is_host_name = [](const std::string& name) {
    const auto is_of_name = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_'; };
    return name == "*" || (!name.empty() && std::all_of(name.begin(), name.end(), is_of_name));
  };
  const auto split = [](const std::string& list) {
    std::vector<std::string> names;
    std::istringstream rest(list);
    for (std::string name; std::getline(rest, name, ',');) names.push_back(CLI::detail::trim(name));
    return names;
  };
  const auto check = [=](const std::string& list) {
    const auto names = split(list);
    const auto wrong = std::find_if_not(names.begin(), names.end(), is_host_name);
    return wrong == names.end() ? std::string() : fmt::format("'{}' is not the name of a host, without a port", *wrong);
  };
  const auto add = [=, &value](CLI::App& subcommand, const std::string& flag, const std::string& help) {
    const auto set = [&value, split](const std::string& list) { value = split(list); };
    return subcommand.add_option_function<std::string>(flag, set, help)
        ->check(CLI::Validator(check, ""))
        ->type_name("NAMES");
  };
  return {add, text};
}

option_kind word_option(std::string& value, const std::vector<std::string>& words) {
  return text_option(value, fmt::format("{}", fmt::join(words, "|")), CLI::IsMember(words).description(""));
}

option_kind postgres_url_option(std::string& value) {
  // Without a default in the help: it could hold a password.
  const auto add = [&value](CLI::App& subcommand, const std::string& flag, const std::string& help) {
    return subcommand.add_option(flag, value, help)->type_name("URL");
  };
  return {add, [&value] { return masked(value); }};
}

option_kind nats_urls_option(std::string& value) {
  // Without a default in the help: it could hold a password.
  const auto add = [&value](CLI::App& subcommand, const std::string& flag, const std::string& help) {
    return subcommand.add_option(flag, value, help)->type_name("URLS");
  };
  return {add, [&value] { return cluster::masked_nats_urls(value); }};
}

option_kind optional_port_option(std::optional<std::uint16_t>& value) {
  constexpr int port_max = 65535;
  const auto text = [&value] { return value ? std::to_string(*value) : std::string(); };
  const auto add = [&value](CLI::App& subcommand, const std::string& flag, const std::string& help) {
    const auto set = [&value](std::uint16_t port) { value = port; };
    return subcommand.add_option_function<std::uint16_t>(flag, set, help)
        ->check(CLI::Range(0, port_max).description(""))
        ->type_name("NUMBER");
  };
  return {add, text};
}

option_kind size_option(std::size_t& bytes, std::size_t least) {
  constexpr std::uint64_t most = std::uint64_t{1} << 40;
  const auto text = [&bytes] { return with_unit(bytes, size_units); };
  const auto add = [=, &bytes](CLI::App& subcommand, const std::string& flag, const std::string& help) {
    const auto rule = fmt::format("must be from {} to {}; its unit may be B, KiB, MiB or GiB",
                                  with_unit(least, size_units), with_unit(most, size_units));
    return subcommand.add_option(flag, bytes, help)
        ->default_str(text())
        ->transform(number_with_unit(size_units, {least, most}, rule))
        ->type_name("SIZE");
  };
  return {add, text};
}

option_kind duration_option(std::chrono::milliseconds& value, const duration_bounds& bounds) {
  const auto text = [&value] { return with_unit(static_cast<std::uint64_t>(value.count()), duration_units); };
  const auto add = [=, &value](CLI::App& subcommand, const std::string& flag, const std::string& help) {
    const auto most = static_cast<std::uint64_t>(std::chrono::milliseconds(bounds.most).count());
    const auto rule =
        fmt::format("must be {}from 1ms to {}d, with a unit: ms, s, m, h or d",
                    bounds.zero.empty() ? "" : fmt::format("0 ({}), or ", bounds.zero), most / ms_per_day);
    const auto set = [&value](std::uint64_t ms) { value = std::chrono::milliseconds(ms); };
    return subcommand.add_option_function<std::uint64_t>(flag, set, help)
        ->default_str(text())
        ->transform(number_with_unit(duration_units, {bounds.zero.empty() ? std::uint64_t{1} : 0, most}, rule))
        ->type_name("DURATION");
  };
  return {add, text};
}

}  // namespace ordem::app
