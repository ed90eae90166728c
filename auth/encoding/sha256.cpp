#include "auth/encoding/sha256.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "engine/base/check.hpp"
#include "engine/base/hex.hpp"

namespace ordem::auth {
namespace {

std::optional<unsigned> value_of_hex_digit(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A' + 10);
  return std::nullopt;
}

}  // namespace

bool operator==(const sha256_hash& a, const sha256_hash& b) noexcept {
  return CRYPTO_memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
}

std::string to_hex(const sha256_hash& what) {
  return ordem::to_hex(what.bytes);
}

std::optional<sha256_hash> parse_sha256(std::string_view hex) noexcept {
  sha256_hash parsed;
  if (hex.size() != 2 * parsed.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < parsed.bytes.size(); ++i) {
    const auto high = value_of_hex_digit(hex[2 * i]);
    const auto low = value_of_hex_digit(hex[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    parsed.bytes[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return parsed;
}

// Fails only without memory, or where the system's OpenSSL is configured to have no SHA-256.
sha256::sha256() : context_(EVP_MD_CTX_new()) {
  ORDEM_CHECK(context_ != nullptr);
  EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  ORDEM_CHECK(algorithm != nullptr);
  ORDEM_CHECK(EVP_DigestInit_ex2(context_, algorithm, nullptr) == 1);
  EVP_MD_free(algorithm);  // the context keeps it
}

sha256::~sha256() {
  EVP_MD_CTX_free(context_);
}

sha256_hash sha256::of(std::string_view bytes) {
  sha256_hash result;
  // Without an algorithm: starts again with that of the context, which is not looked up anew.
  ORDEM_CHECK(EVP_DigestInit_ex2(context_, nullptr, nullptr) == 1);
  ORDEM_CHECK(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
  ORDEM_CHECK(EVP_DigestFinal_ex(context_, result.bytes.data(), nullptr) == 1);
  return result;
}

}  // namespace ordem::auth
