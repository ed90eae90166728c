#include "http-edge/headers.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <charconv>
#include <utility>

#include "engine/limits.hpp"

namespace ordem::edge {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// RFC 8941, section 3.3.3. The text between the quotes, unescaped; nothing if it does not end where the value ends.
std::optional<std::string> parse_quoted(std::string_view value) {
  const auto is_special = [](char c) { return c == '"' || c == '\\'; };
  std::string text;
  for (auto rest = value.begin() + 1;;) {
    const auto special = std::find_if(rest, value.end(), is_special);
    text.append(rest, special);
    if (special == value.end()) return std::nullopt;
    rest = special + 1;
    if (*special == '"') return rest == value.end() ? std::optional(std::move(text)) : std::nullopt;
    if (rest == value.end() || !is_special(*rest)) return std::nullopt;
    text += *rest++;
  }
}

}  // namespace

std::optional<guid> parse_idempotency_key(std::string_view value) {
  value = trimmed(value);
  if (!value.starts_with('"')) return guid::parse(value);
  const auto text = parse_quoted(value);
  return text ? guid::parse(*text) : std::nullopt;
}

std::optional<std::uint64_t> parse_positive(std::string_view digits) {
  if (digits.starts_with('0')) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  if (!whole || number == 0 || number > static_cast<std::uint64_t>(limits::exact_integer_max)) return std::nullopt;
  return number;
}

std::optional<version> parse_if_match(std::string_view value) {
  value = trimmed(value);
  if (value.size() < 3 || value.front() != '"' || value.back() != '"') return std::nullopt;
  const auto number = parse_positive(value.substr(1, value.size() - 2));
  if (!number) return std::nullopt;
  return version{*number};
}

bool if_none_match_holds(std::string_view value, version current) {
  const std::string tag = entity_tag(current);
  while (!value.empty()) {
    const auto comma = std::min(value.find(','), value.size());
    auto each = trimmed(value.substr(0, comma));
    if (each == "*") return true;
    if (each.starts_with("W/")) each.remove_prefix(2);
    if (each == tag) return true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return false;
}

std::string entity_tag(version which) {
  return '"' + std::to_string(which.number) + '"';
}

std::string media_type(std::string_view content_type) {
  std::string type(trimmed(content_type.substr(0, content_type.find(';'))));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return type;
}

// RFC 9110, section 5.6.6. ASCII is UTF-8, too; the name without a hyphen is a common slip.
bool has_other_charset(std::string_view content_type) {
  using boost::beast::iequals;
  auto rest = content_type.substr(std::min(content_type.find(';'), content_type.size()));
  while (!rest.empty()) {
    rest.remove_prefix(1);
    bool quoted = false;
    const auto end = std::find_if(rest.begin(), rest.end(), [&, escaped = false](char c) mutable {
      if (c == '"' && !escaped) quoted = !quoted;
      escaped = quoted && c == '\\' && !escaped;
      return c == ';' && !quoted;
    });
    const auto parameter = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    rest.remove_prefix(parameter.size());
    const auto equals = std::min(parameter.find('='), parameter.size());
    if (!iequals(trimmed(parameter.substr(0, equals)), "charset")) continue;
    const auto value = trimmed(parameter.substr(std::min(equals + 1, parameter.size())));
    const auto charset = value.starts_with('"') ? parse_quoted(value).value_or("") : std::string(value);
    if (!iequals(charset, "utf-8") && !iequals(charset, "utf8") && !iequals(charset, "us-ascii")) return true;
  }
  return false;
}

}  // namespace ordem::edge
