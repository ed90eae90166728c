#include "app/settings/option_values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "app/settings/postgres_url.hpp"

namespace ordem::app {

bool is_ip_address(const std::string& text) {
  in6_addr any;
  return ::inet_pton(AF_INET, text.c_str(), &any) == 1 || ::inet_pton(AF_INET6, text.c_str(), &any) == 1;
}

const unit_map duration_units = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
const unit_map size_units = {{"", 1},
                             {"B", 1},
                             {"KiB", std::uint64_t{1} << 10},
                             {"MiB", std::uint64_t{1} << 20},
                             {"GiB", std::uint64_t{1} << 30}};

std::string with_unit(std::uint64_t amount, const unit_map& units) {
  if (amount == 0) return "0";
  std::pair<std::string, std::uint64_t> best = {"", 1};
  for (const auto& unit : units) {
    if (unit.first != "d" && amount % unit.second == 0 && unit.second >= best.second) best = unit;
  }
  return std::to_string(amount / best.second) + best.first;
}

CLI::Validator number_with_unit(const unit_map& units, std::uint64_t least, std::uint64_t most,
                                const std::string& rule) {
  return {[=, &units](std::string& text) {
            if (least == 0 && text == "0") return std::string();
            std::uint64_t number = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
            const auto unit_at = text.find_first_not_of(' ', static_cast<std::size_t>(end - text.data()));
            const auto unit = units.find(unit_at == std::string::npos ? std::string() : text.substr(unit_at));
            const bool fits = error == std::errc{} && unit != units.end() && number <= most / unit->second;
            if (!fits || number * unit->second < least) return "'" + text + "' " + rule;
            text = std::to_string(number * unit->second);
            return std::string();
          },
          ""};
}

std::string value_of(const std::string& word) {
  const auto equals = word.starts_with('-') ? word.find('=') : std::string::npos;
  return equals == std::string::npos ? word : word.substr(equals + 1);
}

std::string without_password(const std::string& text, const std::string& value) {
  const bool may_hold_one = value.find("://") != std::string::npos || value.find('=') != std::string::npos;
  const std::string shown = may_hold_one ? masked(value) : value;
  if (shown == value) return text;
  const auto is_same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  std::string out;
  for (auto rest = text.begin();;) {
    const auto found = std::search(rest, text.end(), value.begin(), value.end(), is_same);
    out.append(rest, found);
    if (found == text.end()) return out;
    out += shown;
    rest = found + static_cast<std::ptrdiff_t>(value.size());
  }
}

}  // namespace ordem::app
