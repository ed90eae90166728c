#include "auth/keys/keys_file.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "auth/keys/certificate_subject.hpp"
#include "auth/names.hpp"
#include "engine/base/text.hpp"

namespace ordem::auth {
namespace {

constexpr std::string_view hash_prefix = "sha256:";
constexpr std::string_view white_space = " \t";

using line_error = std::optional<std::string>;

// The fields of one line, as texts. Each is there at most once.
struct line_fields {
  std::optional<std::string_view> name, tenant, scopes, created, expires, key, subject;

  std::optional<std::string_view>* find(std::string_view field) noexcept {
    if (field == "name") return &name;
    if (field == "tenant") return &tenant;
    if (field == "scopes") return &scopes;
    if (field == "created") return &created;
    if (field == "expires") return &expires;
    if (field == "key") return &key;
    if (field == "subject") return &subject;
    return nullptr;
  }
};

// Returns the length of the quoted text at the start, with both quotes, or npos if it has no end.
std::size_t quoted_length(std::string_view text) noexcept {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return std::string_view::npos;
}

// Takes the value off the front. A subject is quoted, anything else is not.
tl::expected<std::string_view, std::string> take_value(std::string_view& rest, std::string_view field) {
  if (field != "subject") {
    const std::string_view value = rest.substr(0, rest.find_first_of(white_space));
    rest.remove_prefix(value.size());
    return value;
  }
  const std::size_t length = rest.starts_with('"') ? quoted_length(rest) : std::string_view::npos;
  if (length == std::string_view::npos)
    return tl::make_unexpected(std::string("the value of subject must be in quotes"));
  const std::string_view value = rest.substr(1, length - 2);
  rest.remove_prefix(length);
  if (!rest.empty() && white_space.find(rest.front()) == std::string_view::npos) {
    return tl::make_unexpected(std::string("a space is missing behind the value of subject"));
  }
  return value;
}

tl::expected<line_fields, std::string> split(std::string_view line) {
  line_fields found;
  for (;;) {
    line.remove_prefix(std::min(line.find_first_not_of(white_space), line.size()));
    if (line.empty()) return found;
    const std::string_view word = line.substr(0, line.find_first_of(white_space));
    const auto equals = word.find('=');
    // Not quoted: it may be a key that was put in without its name.
    if (equals == std::string_view::npos) return tl::make_unexpected(std::string("each part must be NAME=VALUE"));
    const std::string_view field = word.substr(0, equals);
    auto* const place = found.find(field);
    if (place == nullptr) return tl::make_unexpected("there is no field " + in_quotes(field));
    if (place->has_value()) return tl::make_unexpected("the field " + in_quotes(field) + " is there twice");
    line.remove_prefix(equals + 1);
    auto value = take_value(line, field);
    if (!value) return tl::make_unexpected(std::move(value.error()));
    *place = *value;
  }
}

line_error read_time(std::string_view field, std::optional<std::string_view> text, std::optional<timestamp>& into) {
  if (!text) return std::nullopt;
  into = parse_rfc3339(*text);
  if (into) return std::nullopt;
  return std::string(field) + " must be a time such as 2026-11-26T10:00:00Z, not " + in_quotes(*text);
}

line_error read_credential(const line_fields& given, keys_file_entry& into) {
  if (given.key.has_value() == given.subject.has_value()) {
    return "it needs either key=sha256:HEX or subject=\"...\"";
  }
  if (given.subject) {
    if (const auto error = subject_error(*given.subject)) return "the subject " + *error;
    into.credential = certificate_subject{std::string(*given.subject)};
    return std::nullopt;
  }
  const auto hash =
      given.key->starts_with(hash_prefix) ? parse_sha256(given.key->substr(hash_prefix.size())) : std::nullopt;
  if (!hash) return "key must be sha256: and 64 hex digits";
  into.credential = *hash;
  return std::nullopt;
}

line_error read_identity(const line_fields& given, keys_file_entry& into) {
  if (!given.name || !is_name(*given.name)) return "name must be " + std::string(name_rule);
  into.name = *given.name;
  if (given.tenant && (given.tenant->empty() || !is_tenant(*given.tenant))) {
    return "tenant must be " + std::string(tenant_rule) + "; leave it out for the empty tenant";
  }
  into.tenant = given.tenant.value_or(std::string_view());
  if (!given.scopes) return "it has no scopes";
  auto scopes = parse_scope_list(*given.scopes);
  if (!scopes) return "it " + scopes.error();
  into.scopes = *scopes;
  return std::nullopt;
}

line_error read_entry(std::string_view line, keys_file_entry& into) {
  const auto given = split(line);
  if (!given) return given.error();
  if (auto error = read_identity(*given, into)) return error;
  if (auto error = read_time("created", given->created, into.created)) return error;
  if (given->expires != "never") {
    if (auto error = read_time("expires", given->expires, into.expires)) return error;
  }
  return read_credential(*given, into);
}

// What may be in the file once only.
class uniqueness {
 public:
  line_error add(const keys_file_entry& entry) {
    const auto [by_name, is_new_name] = names_.try_emplace(entry.name, line_of{entry.line, entry.tenant});
    if (!is_new_name && by_name->second.tenant != entry.tenant) {
      return in_quotes(entry.name) + " has another tenant in " + text_of(by_name->second.number);
    }
    if (const auto* hash = std::get_if<sha256_hash>(&entry.credential)) {
      const auto [found, is_new] = hashes_.try_emplace(*hash, entry.line);
      if (!is_new) return "it has the key of " + text_of(found->second);
      return std::nullopt;
    }
    const auto [found, is_new] =
        subjects_.try_emplace(std::get<certificate_subject>(entry.credential).text, entry.line);
    if (!is_new) return "it has the subject of " + text_of(found->second);
    return std::nullopt;
  }

 private:
  struct line_of {
    std::size_t number;
    std::string tenant;
  };
  static std::string text_of(std::size_t line) { return "line " + std::to_string(line); }

  std::unordered_map<std::string, line_of> names_;
  std::unordered_map<sha256_hash, std::size_t, sha256_hasher> hashes_;
  std::unordered_map<std::string, std::size_t> subjects_;
};

// Takes a line off the front, with its end.
std::string_view take_line(std::string_view& text) noexcept {
  const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
  text.remove_prefix(line.size());
  return line;
}

std::string_view without_end(std::string_view line) noexcept {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_skipped(std::string_view line) noexcept {
  const auto first = line.find_first_not_of(white_space);
  return first == std::string_view::npos || line[first] == '#';
}

}  // namespace

tl::expected<std::vector<keys_file_entry>, std::string> parse_keys_file(std::string_view text) {
  if (text.size() > keys_file_bytes_max) return tl::make_unexpected(std::string("it is larger than 16 MiB"));
  if (!is_utf8(text)) return tl::make_unexpected(std::string("it is not a text in UTF-8"));
  text = without_byte_order_mark(text);
  std::vector<keys_file_entry> entries;
  uniqueness seen;
  for (std::size_t number = 1; !text.empty(); ++number) {
    if (number > keys_file_lines_max) return tl::make_unexpected(std::string("it has more than 100000 lines"));
    const std::string_view line = without_end(take_line(text));
    if (is_skipped(line)) continue;
    keys_file_entry entry;
    entry.line = number;
    auto error = read_entry(line, entry);
    if (!error) error = seen.add(entry);
    if (error) return tl::make_unexpected("line " + std::to_string(number) + ": " + *error);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string to_line(const keys_file_entry& entry) {
  std::string line = "name=" + entry.name;
  if (!entry.tenant.empty()) line += " tenant=" + entry.tenant;
  line += " scopes=" + to_string(entry.scopes);
  if (entry.created) line += " created=" + to_rfc3339(*entry.created);
  line += " expires=" + (entry.expires ? to_rfc3339(*entry.expires) : "never");
  if (const auto* hash = std::get_if<sha256_hash>(&entry.credential)) {
    line += " key=" + std::string(hash_prefix) + to_hex(*hash);
  } else {
    line += " subject=\"" + std::get<certificate_subject>(entry.credential).text + '"';
  }
  return line;
}

std::string short_id(const keys_file_entry& entry) {
  constexpr std::size_t digits = 8;
  if (const auto* hash = std::get_if<sha256_hash>(&entry.credential)) return to_hex(*hash).substr(0, digits);
  return to_hex(sha256().of(std::get<certificate_subject>(entry.credential).text)).substr(0, digits);
}

std::string with_line(std::string_view text, std::string_view line) {
  std::string result(text);
  if (!result.empty() && !result.ends_with('\n')) result += '\n';
  result += line;
  result += '\n';
  return result;
}

std::string without_line(std::string_view text, std::size_t number) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 1; !text.empty(); ++at) {
    const std::string_view line = take_line(text);
    if (at != number) result += line;
  }
  return result;
}

}  // namespace ordem::auth
