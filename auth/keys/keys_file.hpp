// The keys file: who may come in by an API key or by a client certificate. A text in UTF-8, one credential a line;
// empty lines and lines that begin with # are skipped.
//
//   name=till-7 tenant=shop scopes=orders:read,orders:write created=2026-11-26T10:00:00.000Z expires=never
//   key=sha256:9f86... name=till-8 scopes=orders:read subject="CN=till-8,O=Shop\, Ltd"
//
//   name      of the identity: see is_name(). Several lines may have one name, with the same tenant: keys to rotate.
//   tenant    optional; without it the empty tenant
//   scopes    separated by commas
//   created   optional; a time of RFC 3339
//   expires   optional; a time of RFC 3339, from which on the credential is refused, or never
//   key       sha256: and the SHA-256 of the API key in hex
//   subject   instead of key: the subject of a client certificate in quotes, in the form of RFC 4514, in which a quote
//   has a
//             backslash before it: see certificate_subject.hpp
//
// The form is Ordem's own. It holds no secret; whoever may write it decides who comes in. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "auth/encoding/sha256.hpp"
#include "auth/identity.hpp"
#include "engine/model/time.hpp"

namespace ordem::auth {

inline constexpr std::size_t keys_file_bytes_max = std::size_t{16} << 20;
inline constexpr std::size_t keys_file_lines_max = 100'000;

struct certificate_subject {
  std::string text;
  friend bool operator==(const certificate_subject&, const certificate_subject&) = default;
};

// A line of the file.
struct keys_file_entry {
  std::size_t line = 0;  // from 1; 0 for one that is in no file
  std::string name;
  std::string tenant;
  scope_set scopes;
  std::optional<timestamp> created;
  std::optional<timestamp> expires;  // nullopt: never
  std::variant<sha256_hash, certificate_subject> credential;
};

// Returns the entries in the order of the file, or an error that begins with the line: "line 3: ...". No error quotes
// the value of `key`, in case it is the secret itself. The same credential twice is an error.
tl::expected<std::vector<keys_file_entry>, std::string> parse_keys_file(std::string_view text);

// Returns the line of the entry, without a line break. parse_keys_file() reads the same entry from it.
std::string to_line(const keys_file_entry& entry);

// Returns 8 hex digits that name the credential among those of one name: the beginning of the SHA-256 of the key, or of
// the subject.
std::string short_id(const keys_file_entry& entry);

// Returns the text with one more line at its end.
std::string with_line(std::string_view text, std::string_view line);
// Returns the text without the line of this number, all else as it was.
std::string without_line(std::string_view text, std::size_t number);

}  // namespace ordem::auth
