#include "app/settings/postgres_url.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "storage/postgres/postgres.hpp"

namespace ordem::app {
namespace {

constexpr std::string_view schemes[] = {"postgresql://", "postgres://"};
constexpr auto npos = std::string_view::npos;

// Returns "postgresql://" or "postgres://" if the text begins so, else an empty text.
std::string_view scheme_of(std::string_view text) {
  for (const std::string_view scheme : schemes) {
    if (text.starts_with(scheme)) return scheme;
  }
  return {};
}

bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

// libpq splits a URL at the first character that may end a part, and checks ports only when it connects: an unencoded @
// or / in a password makes the rest of it a host or a database, which later errors quote. Hence these checks before
// libpq's own. `rest` is the URL without its scheme.

// Returns true if each of "host:port,host:port" has a port of digits or none. A host in brackets may hold colons.
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

// Returns true if there is at most one @, and before it no character that ends a host.
bool is_unambiguous(std::string_view rest) {
  const auto at = rest.find('@');
  if (at == npos) return true;
  return rest.find('@', at + 1) == npos && rest.substr(0, at).find_first_of("/?#") == npos;
}

// Returns the names in "name=value&name=value" that libpq does not know, so that an error can name them; libpq's own
// may quote the password. Only names of letters, digits, _, - and ., since another one may be a part of a password.
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
    const bool is_known =
        piece == "ssl=true" || storage::is_connection_parameter(name);  // libpq knows this one of JDBC
    if (name != piece && !is_known && is_showable(name)) unknown.push_back(name);
    query.remove_prefix(std::min(piece.size() + 1, query.size()));
  }
  return unknown;
}

std::string parameter_error(const std::vector<std::string_view>& unknown) {
  return fmt::format(
      "has the parameter{} '{}', which libpq does not know (leave out parameters of other libraries, such as "
      "schema=public of Prisma)",
      unknown.size() == 1 ? "" : "s", fmt::join(unknown, "', '"));
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
  if (is_clear && storage::parse_connection_string(url)) return std::nullopt;
  return "is not a Postgres URL such as postgresql://user:password@host:5432/database "
         "(in a password, write all but letters and digits as escapes: %40 for @, %2F for /, and so on)";
}

std::string masked(const std::string& url) {
  if (url.empty()) return {};
  // libpq may take a part of a password for a host or a database, so a URL that is refused is hidden as a whole.
  const auto parameters = postgres_url_error(url) ? std::nullopt : storage::parse_connection_string(url);
  if (!parameters) return "***";
  std::string words;
  for (const auto& [name, value] : *parameters) {
    const char* quote = value.empty() || std::any_of(value.begin(), value.end(), is_space) ? "'" : "";
    words += fmt::format("{}{}={}{}{}", words.empty() ? "" : " ", name, quote, value, quote);
  }
  return words.empty() ? url : words;
}

}  // namespace ordem::app
