// API keys: secrets that name an identity.
//
//   ordem_ <43 digits of base 62: 256 random bits> <8 hex digits: the beginning of the SHA-256 of all before it>
//
// Prefix and checksum are for programs that look for leaked secrets in repositories and logs: the prefix finds a key,
// the checksum tells it from other text without asking a server. The idea is GitHub's ("Behind GitHub's new
// authentication token formats", 2021). Such a program matches
//
//   \bordem_[0-9A-Za-z]{43}[0-9a-f]{8}\b
//
// and may compare the checksum. It is a part of a SHA-256 rather than a CRC, so that charts and shell scripts can make
// a key without this program. The digits of base 62 are 0-9 A-Z a-z; any 43 random ones will do.
//
// Only the SHA-256 of a key is kept, of its whole text. Passwords need a slow hash, because they can be
// guessed; 256 random bits can't.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ordem::auth {

inline constexpr std::string_view api_key_prefix = "ordem_";
inline constexpr std::size_t api_key_characters = 57;

// Returns a new key from OpenSSL's random generator, or nullopt if that fails. Thread-safe.
std::optional<std::string> generate_api_key();

// Returns the key of these bits. Pure.
std::string to_api_key(const std::array<std::uint8_t, 32>& bits);

// Returns whether the text has the prefix, length, alphabet and checksum of a key. Pure.
bool is_api_key(std::string_view text);

}  // namespace ordem::auth
