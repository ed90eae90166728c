// API keys: secrets that name an identity.
//
//   ordem_ <43 digits of base 62: 256 random bits> <6 digits of base 62: CRC-32 of all before it>
//
// Prefix and checksum are for programs that look for leaked secrets in repositories and logs: the prefix finds a key,
// the checksum tells it from other text without asking a server. The idea is GitHub's ("Behind GitHub's new
// authentication token formats", 2021). Such a program matches
//
//   \bordem_[0-9A-Za-z]{49}\b
//
// and may compare the checksum: CRC-32 as in zlib and Ethernet (ISO 3309), most significant digit first.
//
// Only the SHA-256 of a key is kept, of its text from the prefix on. Passwords need a slow hash, because they can be
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
inline constexpr std::size_t api_key_characters = 55;

// Returns a new key from OpenSSL's random generator, or nullopt if that fails. Thread-safe.
std::optional<std::string> generate_api_key();

// Returns the key of these bits. Pure.
std::string to_api_key(const std::array<std::uint8_t, 32>& bits);

// Returns whether the text has the prefix, length, alphabet and checksum of a key. Pure.
bool is_api_key(std::string_view text);

}  // namespace ordem::auth
