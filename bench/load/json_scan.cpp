#include "bench/load/json_scan.hpp"

#include <charconv>
#include <system_error>

namespace ordem::bench {
namespace {

constexpr std::string_view white_space = " \t\r\n";

void skip_white_space(std::string_view& text) noexcept {
  const auto first = text.find_first_not_of(white_space);
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
}

// Where the quoted name begins. Sought without its first quote: quotes are everywhere.
std::size_t find_name(std::string_view json, std::string_view name) noexcept {
  for (std::size_t from = 1; from < json.size();) {
    const auto at = json.find(name.substr(1), from);
    if (at == std::string_view::npos) return at;
    if (json[at - 1] == '"') return at - 1;
    from = at + 1;
  }
  return std::string_view::npos;
}

// What follows the colon of the first member `name`; empty if there is none.
std::string_view behind_name(std::string_view json, std::string_view name) noexcept {
  const auto at = find_name(json, name);
  if (at == std::string_view::npos) return {};
  json.remove_prefix(at + name.size());
  skip_white_space(json);
  if (!json.starts_with(':')) return {};
  json.remove_prefix(1);
  skip_white_space(json);
  return json;
}

}  // namespace

std::optional<std::string_view> string_member(std::string_view json, std::string_view name) noexcept {
  auto value = behind_name(json, name);
  if (!value.starts_with('"')) return std::nullopt;
  value.remove_prefix(1);
  const auto close = value.find('"');
  if (close == std::string_view::npos) return std::nullopt;
  return value.substr(0, close);
}

std::optional<std::uint64_t> number_member(std::string_view json, std::string_view name) noexcept {
  const auto value = behind_name(json, name);
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view rest(stop, static_cast<std::size_t>(value.data() + value.size() - stop));
  if (!rest.empty() && (rest.front() == '.' || rest.front() == 'e' || rest.front() == 'E')) return std::nullopt;
  return number;
}

}  // namespace ordem::bench
