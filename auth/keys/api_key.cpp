#include "auth/keys/api_key.hpp"

#include <openssl/rand.h>

#include <algorithm>

#include "auth/encoding/base62.hpp"
#include "auth/encoding/sha256.hpp"

namespace ordem::auth {
namespace {

constexpr std::size_t random_characters = 43;  // 62^43 > 2^256
constexpr std::size_t checksum_characters = 8;
static_assert(api_key_prefix.size() + random_characters + checksum_characters == api_key_characters);

std::string checksum_of(std::string_view text) {
  return to_hex(sha256().of(text)).substr(0, checksum_characters);
}

}  // namespace

std::optional<std::string> generate_api_key() {
  std::array<std::uint8_t, 32> bits{};
  if (RAND_bytes(bits.data(), static_cast<int>(bits.size())) != 1) return std::nullopt;
  return to_api_key(bits);
}

std::string to_api_key(const std::array<std::uint8_t, 32>& bits) {
  std::string text(api_key_prefix);
  text += to_base62(bits, random_characters);
  text += checksum_of(text);
  return text;
}

bool is_api_key(std::string_view text) {
  if (text.size() != api_key_characters || !text.starts_with(api_key_prefix)) return false;
  const std::string_view digits = text.substr(api_key_prefix.size());
  if (!std::all_of(digits.begin(), digits.end(), is_base62)) return false;
  const std::size_t checksum_at = api_key_characters - checksum_characters;
  return checksum_of(text.substr(0, checksum_at)) == text.substr(checksum_at);
}

}  // namespace ordem::auth
