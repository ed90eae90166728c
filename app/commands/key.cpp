#include "app/commands/key.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <optional>
#include <utility>
#include <vector>

#include "app/commands/failure.hpp"
#include "app/identity/keys_file_update.hpp"
#include "app/identity/text_file.hpp"
#include "app/process/system_clock.hpp"
#include "auth/keys/api_key.hpp"
#include "auth/keys/keys_file.hpp"
#include "auth/names.hpp"
#include "engine/base/text.hpp"

namespace ordem::app {
namespace {

using entries = std::vector<auth::keys_file_entry>;

tl::expected<entries, std::string> parse(const std::string& text, const std::string& path) {
  auto parsed = auth::parse_keys_file(text);
  if (!parsed) return tl::make_unexpected(fmt::format("'{}': {}", path, parsed.error()));
  return std::move(*parsed);
}

entries named(const entries& all, const std::string& name) {
  entries found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found),
               [&name](const auto& each) { return each.name == name; });
  return found;
}

std::string credential_text(const auth::keys_file_entry& entry) {
  const auto* subject = std::get_if<auth::certificate_subject>(&entry.credential);
  return subject == nullptr ? "key" : subject->text;
}

// --- create ---

struct new_credential {
  std::optional<std::string> key;  // the secret; nullopt for a certificate
  auth::keys_file_entry entry;
};

std::optional<new_credential> make_credential(const key_create_command& what) {
  new_credential made;
  const timestamp now = system_time();
  made.entry.name = what.name;
  made.entry.tenant = what.tenant;
  made.entry.scopes = what.scopes;
  made.entry.created = now;
  if (what.lifetime.count() > 0) made.entry.expires = now + what.lifetime;
  if (!what.certificate_subject.empty()) {
    made.entry.credential = auth::certificate_subject{what.certificate_subject};
    return made;
  }
  made.key = auth::generate_api_key();
  if (!made.key) return std::nullopt;
  made.entry.credential = auth::sha256().of(*made.key);
  return made;
}

// Returns how many credentials of the name the file had before.
tl::expected<std::size_t, std::string> append(const std::string& path, const auth::keys_file_entry& entry) {
  std::size_t before = 0;
  const auto updated = update_keys_file(path, missing_file::is_created,
                                        [&](const std::string& text) -> tl::expected<std::string, std::string> {
                                          const auto present = parse(text, path);
                                          if (!present) return tl::make_unexpected(present.error());
                                          before = named(*present, entry.name).size();
                                          std::string changed = auth::with_line(text, auth::to_line(entry));
                                          // The whole again, since the new line may contradict another one, and the
                                          // file has bounds.
                                          if (const auto valid = parse(changed, path); !valid)
                                            return tl::make_unexpected("not added: " + valid.error());
                                          return changed;
                                        });
  if (!updated) return tl::make_unexpected(updated.error());
  return before;
}

void hint(const std::string& text) {
  std::cerr << text << "\n";
}

// --- list ---

using row = std::array<std::string, 7>;

row row_of(const auth::keys_file_entry& entry, timestamp now) {
  std::string expires = entry.expires ? to_rfc3339(*entry.expires) : "never";
  if (entry.expires && *entry.expires <= now) expires += " (expired)";
  return {auth::short_id(entry),
          entry.name,
          entry.tenant.empty() ? "-" : entry.tenant,
          auth::to_string(entry.scopes),
          entry.created ? to_rfc3339(*entry.created) : "-",
          std::move(expires),
          credential_text(entry)};
}

void print(const std::vector<row>& table) {
  std::array<std::size_t, std::tuple_size_v<row>> widths{};
  for (const row& each : table) {
    for (std::size_t i = 0; i < each.size(); ++i) widths[i] = std::max(widths[i], each[i].size());
  }
  for (const row& each : table) {
    std::string line;
    for (std::size_t i = 0; i + 1 < each.size(); ++i) line += fmt::format("{:<{}}  ", each[i], widths[i]);
    std::cout << line << each.back() << "\n";
  }
}

// --- revoke ---

tl::expected<auth::keys_file_entry, std::string> find(const entries& all, const key_revoke_command& what) {
  entries found = named(all, what.name);
  if (found.empty()) {
    return tl::make_unexpected(fmt::format("there is no {} in '{}'", in_quotes(what.name), what.keys_file));
  }
  if (what.id.empty() && found.size() > 1) {
    std::string list;
    for (const auto& each : found) {
      list += fmt::format("\n  {}  {}, created {}", auth::short_id(each), credential_text(each),
                          each.created ? to_rfc3339(*each.created) : "at an unknown time");
    }
    return tl::make_unexpected(
        fmt::format("{} has {} credentials; say which one by --id:{}", what.name, found.size(), list));
  }
  if (what.id.empty()) return found.front();
  std::erase_if(found, [&what](const auto& each) { return auth::short_id(each) != what.id; });
  if (found.size() == 1) return found.front();
  return tl::make_unexpected(
      found.empty() ? fmt::format("{} has no credential {}; ordem key list shows those that it has", what.name,
                                  in_quotes(what.id))
                    : fmt::format("{} has several credentials {}; remove the line by hand", what.name, what.id));
}

}  // namespace

int key(const key_create_command& what) {
  const auto made = make_credential(what);
  if (!made) return fail("the system has no random bits for a key");
  if (!what.keys_file.empty()) {
    const auto before = append(what.keys_file, made->entry);
    if (!before) return fail(before.error());
    if (*before > 0) {
      hint(fmt::format(
          "{} has {} credentials now. Once its client has changed, revoke the old one: ordem key revoke {} --id ID",
          what.name, *before + 1, what.name));
    }
  }
  if (made->key) std::cout << *made->key << "\n";
  if (what.keys_file.empty()) std::cout << auth::to_line(made->entry) << "\n";
  std::cout.flush();
  if (!std::cout) {
    return fail(fmt::format("the output could not be written; if the keys file has {} {}, revoke it", what.name,
                            auth::short_id(made->entry)));
  }
  if (made->key) hint("The key is shown only this once; the keys file has its hash.");
  if (what.keys_file.empty()) {
    hint(fmt::format("Add the line that begins with name={} to the keys file of the server.", what.name));
  }
  return 0;
}

int key(const key_list_command& what) {
  const auto file = read_text_file(what.keys_file, auth::keys_file_bytes_max);
  if (!file) return fail(file.error());
  const auto parsed = parse(file->text, what.keys_file);
  if (!parsed) return fail(parsed.error());
  std::vector<row> table = {{"ID", "NAME", "TENANT", "SCOPES", "CREATED", "EXPIRES", "CREDENTIAL"}};
  const timestamp now = system_time();
  for (const auto& each : *parsed) table.push_back(row_of(each, now));
  print(table);
  return 0;
}

int key(const key_revoke_command& what) {
  std::string revoked;
  const auto updated = update_keys_file(what.keys_file, missing_file::is_an_error,
                                        [&](const std::string& text) -> tl::expected<std::string, std::string> {
                                          const auto present = parse(text, what.keys_file);
                                          if (!present) return tl::make_unexpected(present.error());
                                          const auto entry = find(*present, what);
                                          if (!entry) return tl::make_unexpected(entry.error());
                                          revoked = auth::short_id(*entry);
                                          return auth::without_line(text, entry->line);
                                        });
  if (!updated) return fail(updated.error());
  std::cout << fmt::format("revoked {} of {}\n", revoked, what.name);
  return 0;
}

}  // namespace ordem::app
