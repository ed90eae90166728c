#include "auth/names.hpp"

#include <algorithm>

#include "auth/scope_names.hpp"
#include "engine/base/text.hpp"

namespace ordem::auth {
namespace {

constexpr bool is_lower_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_name_character(char c) noexcept {
  constexpr std::string_view others = "._:@-";
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || others.find(c) != std::string_view::npos;
}

bool is_tenant_character(char c) noexcept {
  constexpr std::string_view others = "._-";
  return is_lower_or_digit(c) || others.find(c) != std::string_view::npos;
}

// Returns "orders:read, orders:write, ...".
std::string all_scopes() {
  std::string list;
  for (std::size_t i = 0; i < scopes; ++i) {
    if (i > 0) list += ", ";
    list += to_string(static_cast<scope>(i));
  }
  return list;
}

}  // namespace

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= name_characters_max &&
         std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_tenant(std::string_view text) noexcept {
  return text.size() <= tenant_characters_max && std::all_of(text.begin(), text.end(), is_tenant_character);
}

tl::expected<scope_set, std::string> parse_scope_list(std::string_view text) {
  scope_set found;
  for (;;) {
    const auto comma = text.find(',');
    const std::string_view name = text.substr(0, comma);
    const auto what = parse_scope(name);
    if (!what) return tl::make_unexpected("has the unknown scope " + in_quotes(name) + "; scopes are " + all_scopes());
    found.add(*what);
    if (comma == std::string_view::npos) return found;
    text.remove_prefix(comma + 1);
  }
}

std::string to_string(scope_set what) {
  std::string list;
  for (std::size_t i = 0; i < scopes; ++i) {
    if (!what.has(static_cast<scope>(i))) continue;
    if (!list.empty()) list += ',';
    list += to_string(static_cast<scope>(i));
  }
  return list;
}

}  // namespace ordem::auth
