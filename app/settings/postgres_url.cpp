#include "app/settings/postgres_url.hpp"

#include <algorithm>
#include <cctype>
#include <span>
#include <vector>

#include "storage/postgres/postgres.hpp"

namespace ordem::app {
namespace {

constexpr std::string_view hidden = "***";
constexpr std::string_view schemes[] = {"postgresql://", "postgres://"};
constexpr auto npos = std::string_view::npos;

// "postgresql://" or "postgres://" if it begins so, else nothing.
std::string_view scheme_of(std::string_view text) {
  for (const std::string_view scheme : schemes) {
    if (text.starts_with(scheme)) return scheme;
  }
  return {};
}

bool names_password(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower.find("password") != npos;
}

bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

// --- the form of a URL; `rest` is what follows the scheme ---

// Whether each of "host:port,host:port" has a port of digits or none; a host in brackets holds colons.
bool has_plausible_ports(std::string_view hosts) {
  while (!hosts.empty()) {
    const auto comma = std::min(hosts.find(','), hosts.size());
    std::string_view host = hosts.substr(0, comma);
    if (host.starts_with('[')) host.remove_prefix(std::min(host.find(']'), host.size()));
    const auto colon = host.find(':');
    if (colon != npos && host.find_first_not_of("0123456789", colon + 1) != npos) return false;
    hosts.remove_prefix(std::min(comma + 1, hosts.size()));
  }
  return true;
}

std::string_view hosts_of(std::string_view rest) {
  const auto at = rest.find('@');
  if (at != npos) rest.remove_prefix(at + 1);
  return rest.substr(0, rest.find_first_of("/?"));
}

// At most one @, and nothing before it that could begin what comes after a host.
bool is_unambiguous(std::string_view rest) {
  const auto at = rest.find('@');
  if (at == npos) return true;
  return rest.find('@', at + 1) == npos && rest.substr(0, at).find_first_of("/?#") == npos;
}

// The parameters that libpq does not have, of "name=value&name=value". Only names that can be shown: of letters, digits
// and the like.
std::vector<std::string_view> unknown_parameters(std::string_view query) {
  const auto is_showable = [](std::string_view name) {
    constexpr std::size_t length_max = 40;
    return !name.empty() && name.size() <= length_max && std::all_of(name.begin(), name.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
    });
  };
  std::vector<std::string_view> unknown;
  while (!query.empty()) {
    const std::string_view piece = query.substr(0, query.find('&'));
    const std::string_view name = piece.substr(0, std::min(piece.find('='), piece.size()));
    const bool is_known = piece == "ssl=true" || storage::is_connection_parameter(name);  // libpq takes that of JDBC
    if (name != piece && !is_known && is_showable(name)) unknown.push_back(name);
    query.remove_prefix(std::min(piece.size() + 1, query.size()));
  }
  return unknown;
}

std::string parameter_error(std::span<const std::string_view> unknown) {
  std::string names;
  for (const std::string_view name : unknown) names += (names.empty() ? "'" : ", '") + std::string(name) + "'";
  return (unknown.size() == 1 ? "has the parameter " : "has the parameters ") + names +
         ", which libpq does not know (leave out what belongs to another library, such as schema=public of Prisma)";
}

// "name=value&name=value". A name with an escape may be any name.
std::string masked_query(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const std::string_view piece = query.substr(0, query.find('&'));
    const auto equals = piece.find('=');
    const std::string_view name = piece.substr(0, equals);
    const bool secret = equals != npos && (names_password(name) || name.find('%') != npos);
    out += secret ? std::string(name) + "=" + std::string(hidden) : std::string(piece);
    query.remove_prefix(piece.size());
    if (query.empty()) break;
    out += '&';
    query.remove_prefix(1);
  }
  return out;
}

std::string masked_rest(std::string_view rest) {
  std::string out;
  const auto at = rest.rfind('@');
  if (at == npos && !has_plausible_ports(hosts_of(rest))) {
    // user:password without a host
    return std::string(rest.substr(0, rest.find(':') + 1)) + std::string(hidden);
  }
  if (at != npos) {
    const auto colon = rest.substr(0, at).find(':');
    out += rest.substr(0, std::min(colon, at));
    if (colon != npos) out += ":" + std::string(hidden);
    rest.remove_prefix(at);
  }
  const auto question = rest.find('?');
  out += rest.substr(0, question);
  if (question != npos) out += "?" + masked_query(rest.substr(question + 1));
  return out;
}

// --- the form name=value name='value' ---

// Where the value that begins `text` ends; it is quoted, or ends at white space. npos if a quote is not closed.
std::size_t end_of_value(std::string_view text) {
  const bool quoted = text.starts_with('\'');
  for (std::size_t i = quoted ? 1 : 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (quoted && text[i] == '\'') {
      return i + 1;
    } else if (!quoted && is_space(text[i])) {
      return i;
    }
  }
  return quoted ? npos : text.size();
}

std::string masked_words(std::string_view text) {
  const auto skip_space = [&text](std::size_t from) {
    while (from < text.size() && is_space(text[from])) ++from;
    return from;
  };
  std::string out;
  while (true) {
    const std::size_t begin = skip_space(0);
    out += text.substr(0, begin);
    text.remove_prefix(begin);
    if (text.empty()) return out;
    const std::size_t name_end = static_cast<std::size_t>(
        std::find_if(text.begin(), text.end(), [](char c) { return c == '=' || is_space(c); }) - text.begin());
    const std::string_view name = text.substr(0, name_end);
    const std::size_t equals = skip_space(name_end);
    if (equals == text.size() || text[equals] != '=') return out + std::string(hidden);
    const std::size_t value = skip_space(equals + 1);
    const std::size_t length = end_of_value(text.substr(value));
    if (length == npos) return out + std::string(text.substr(0, value)) + std::string(hidden);
    out += text.substr(0, value);
    out += names_password(name) ? hidden : text.substr(value, length);
    text.remove_prefix(value + length);
  }
}

}  // namespace

std::string trimmed_postgres_url(std::string_view url) {
  while (!url.empty() && is_space(url.front())) url.remove_prefix(1);
  while (!url.empty() && is_space(url.back()) && !url.substr(0, url.size() - 1).ends_with('\\')) url.remove_suffix(1);
  return std::string(url);
}

std::optional<std::string> postgres_url_error(const std::string& url) {
  const std::string_view scheme = scheme_of(url);
  const std::string_view rest = std::string_view(url).substr(scheme.size());
  const bool nested = std::any_of(std::begin(schemes), std::end(schemes),
                                  [&](std::string_view each) { return rest.find(each) != npos; });
  const bool is_clear =
      !url.empty() && !nested && (scheme.empty() || (is_unambiguous(rest) && has_plausible_ports(hosts_of(rest))));
  if (is_clear && !scheme.empty()) {
    if (std::any_of(rest.begin(), rest.end(), [](unsigned char c) { return std::iscntrl(c) != 0; })) {
      return "has a line break or another control character within it";
    }
    const auto question = rest.find('?');
    const auto unknown = unknown_parameters(question == npos ? std::string_view() : rest.substr(question + 1));
    if (!unknown.empty()) return parameter_error(unknown);
  }
  if (is_clear && storage::is_connection_string(url)) return std::nullopt;
  return "is not a URL of Postgres, as postgresql://user:password@host:5432/database is "
         "(in a password all but letters and digits is written as %40 for @, %2F for /, and so on)";
}

std::string masked(std::string_view url) {
  const std::string_view scheme = scheme_of(url);
  if (scheme.empty()) return masked_words(url);
  return std::string(scheme) + masked_rest(url.substr(scheme.size()));
}

}  // namespace ordem::app
