#include "http-edge/protocol/headers.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/base/limits.hpp"

namespace ordem::http_edge {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_alpha(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_one_of(char c, std::string_view characters) {
  return characters.find(c) != characters.npos;
}

// Removes `c` from the front of `rest`. Returns false if `rest` does not start with it.
bool take(std::string_view& rest, char c) {
  if (!rest.starts_with(c)) return false;
  rest.remove_prefix(1);
  return true;
}

// Removes characters of a kind from the front of `rest`. Returns their number.
template <class IsOfKind>
std::size_t take_while(std::string_view& rest, IsOfKind is_of_kind) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_of_kind);
  const auto count = static_cast<std::size_t>(end - rest.begin());
  rest.remove_prefix(count);
  return count;
}

// RFC 8941, section 3.3.3. Removes a string from the front of `rest`. Returns the text between the quotes, unescaped,
// or nullopt if there is no string.
std::optional<std::string> take_string(std::string_view& rest) {
  const auto is_special = [](char c) { return c == '"' || c == '\\'; };
  if (!take(rest, '"')) return std::nullopt;
  std::string text;
  for (;;) {
    const auto special = std::find_if(rest.begin(), rest.end(), is_special);
    text.append(rest.begin(), special);
    rest.remove_prefix(static_cast<std::size_t>(special - rest.begin()));
    if (rest.empty()) return std::nullopt;
    if (take(rest, '"')) return text;
    rest.remove_prefix(1);
    if (rest.empty() || !is_special(rest.front())) return std::nullopt;
    text += rest.front();
    rest.remove_prefix(1);
  }
}

// RFC 8941, sections 3.3.1 and 3.3.2: at most 15 digits, or at most 12 with up to 3 decimals.
bool take_number(std::string_view& rest) {
  take(rest, '-');
  const std::size_t digits = take_while(rest, is_digit);
  if (!take(rest, '.')) return digits >= 1 && digits <= 15;
  const std::size_t decimals = take_while(rest, is_digit);
  return digits >= 1 && digits <= 12 && decimals >= 1 && decimals <= 3;
}

// RFC 8941, section 3.3: the value of a parameter.
bool take_bare_item(std::string_view& rest) {
  if (rest.empty()) return false;
  const char first = rest.front();
  if (first == '"') return take_string(rest).has_value();
  if (first == '-' || is_digit(first)) return take_number(rest);
  if (take(rest, '?')) return take(rest, '0') || take(rest, '1');
  if (take(rest, ':')) {
    take_while(rest, [](char c) { return is_alpha(c) || is_digit(c) || is_one_of(c, "+/="); });
    return take(rest, ':');
  }
  if (!is_alpha(first) && first != '*') return false;
  take_while(rest, [](char c) { return is_alpha(c) || is_digit(c) || is_one_of(c, "!#$%&'*+-.^_`|~:/"); });
  return true;
}

// RFC 8941, section 3.1.2. Removes the parameters of an item from the front of `rest`. Returns false if one is
// malformed.
bool take_parameters(std::string_view& rest) {
  while (take(rest, ';')) {
    take_while(rest, [](char c) { return c == ' '; });
    if (rest.empty() || (!is_lower(rest.front()) && rest.front() != '*')) return false;
    take_while(rest, [](char c) { return is_lower(c) || is_digit(c) || is_one_of(c, "_-.*"); });
    if (take(rest, '=') && !take_bare_item(rest)) return false;
  }
  return true;
}

}  // namespace

std::optional<guid> parse_idempotency_key(std::string_view value) {
  value = trimmed(value);
  // Proxies join two header lines with a comma.
  if (!value.starts_with('"')) return value.find(',') == value.npos ? guid::parse(value) : std::nullopt;
  const auto text = take_string(value);
  return text && take_parameters(value) && value.empty() ? guid::parse(*text) : std::nullopt;
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

namespace {

// Returns the part before the separator, which is not in a quoted string, and removes it from the front of `rest`.
std::string_view take_part(std::string_view& rest, char separator) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < rest.size() && (quoted || rest[at] != separator); ++at) {
    if (rest[at] == '"') quoted = !quoted;
    if (rest[at] == '\\' && quoted && at + 1 < rest.size()) ++at;
  }
  const std::string_view part = trimmed(rest.substr(0, at));
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return part;
}

}  // namespace

bool has_preference(std::string_view value, std::string_view name) {
  while (!value.empty()) {
    std::string_view preference = take_part(value, ',');
    const std::string_view token = take_part(preference, ';');
    // A preference with an empty value is the same as one without.
    std::string_view rest = token;
    const std::string_view given = take_part(rest, '=');
    if (equals_ignoring_case(given, name) && (rest.empty() || trimmed(rest) == "\"\"")) return true;
  }
  return false;
}

std::string media_type(std::string_view content_type) {
  std::string type(trimmed(content_type.substr(0, content_type.find(';'))));
  std::transform(type.begin(), type.end(), type.begin(), to_lower);
  return type;
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool is_form_type(std::string_view content_type) noexcept {
  const auto type = trimmed(content_type.substr(0, content_type.find(';')));
  return equals_ignoring_case(type, "text/plain") || equals_ignoring_case(type, "application/x-www-form-urlencoded") ||
         equals_ignoring_case(type, "multipart/form-data");
}

// RFC 9110, section 5.6.6. "utf8", without the hyphen, is a common mistake.
bool has_other_charset(std::string_view content_type) {
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
    if (!equals_ignoring_case(trimmed(parameter.substr(0, equals)), "charset")) continue;
    auto value = trimmed(parameter.substr(std::min(equals + 1, parameter.size())));
    const auto charset = value.starts_with('"') ? take_string(value).value_or("") : std::string(value);
    if (!equals_ignoring_case(charset, "utf-8") && !equals_ignoring_case(charset, "utf8") &&
        !equals_ignoring_case(charset, "us-ascii"))
      return true;
  }
  return false;
}

}  // namespace ordem::http_edge
