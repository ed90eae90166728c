// Public keys that check the signatures of tokens, by OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

extern "C" {
struct evp_pkey_st;
struct evp_md_ctx_st;
}

namespace ordem::auth {

// The algorithms of RFC 7518 and RFC 8037 that tokens may have.
enum class signature_algorithm : std::uint8_t {
  rs256,  // RSASSA-PKCS1-v1_5 with SHA-256
  es256,  // ECDSA on P-256 with SHA-256
  eddsa,  // Ed25519
};

// Returns the algorithm of a name on the wire: RS256, ES256 or EdDSA, or nullopt.
std::optional<signature_algorithm> parse_algorithm(std::string_view name) noexcept;

// What a check needs again and again. One thread at a time.
class signature_context {
 public:
  signature_context();
  ~signature_context();
  signature_context(const signature_context&) = delete;
  signature_context& operator=(const signature_context&) = delete;

  evp_md_ctx_st* get() const noexcept { return context_; }

 private:
  evp_md_ctx_st* context_;
};

// A key, which checks signatures of one algorithm. Immutable; any thread.
class public_key {
 public:
  // Each returns why the key cannot be used, as the end of a sentence. The texts are bytes, integers with the most
  // significant byte first.
  //
  // RSA keys have 2048 to 8192 bits, and an odd exponent from 3 to 2^64 - 1: a longer one would make a check slow.
  static tl::expected<public_key, std::string> make_rsa(std::string_view modulus, std::string_view exponent);
  // On P-256: 32 bytes each, a point of the curve.
  static tl::expected<public_key, std::string> make_p256(std::string_view x, std::string_view y);
  // 32 bytes.
  static tl::expected<public_key, std::string> make_ed25519(std::string_view x);

  signature_algorithm algorithm() const noexcept { return algorithm_; }

  // Returns whether the signature, in the form of a token (RFC 7518, RFC 8037), is that of the text.
  bool has_signed(std::string_view text, std::string_view signature, const signature_context& context) const;

 private:
  public_key(signature_algorithm algorithm, std::shared_ptr<evp_pkey_st> key) noexcept
      : algorithm_(algorithm), key_(std::move(key)) {}

  signature_algorithm algorithm_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace ordem::auth
