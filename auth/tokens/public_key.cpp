#include "auth/tokens/public_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <vector>

#include "engine/base/check.hpp"
#include "engine/base/freed_by.hpp"

namespace ordem::auth {
namespace {

constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 8192;
constexpr std::size_t exponent_bytes_max = 8;
constexpr std::size_t coordinate_bytes = 32;
constexpr std::size_t ed25519_key_bytes = 32;
constexpr std::size_t es256_signature_bytes = 64;

using bignum = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, freed_by<EVP_PKEY_CTX_free>>;
using param_builder = std::unique_ptr<OSSL_PARAM_BLD, freed_by<OSSL_PARAM_BLD_free>>;
using params = std::unique_ptr<OSSL_PARAM, freed_by<OSSL_PARAM_free>>;
using ecdsa_signature = std::unique_ptr<ECDSA_SIG, freed_by<ECDSA_SIG_free>>;

// OpenSSL puts the reasons of failures into a queue of the thread, from which other code would take them as its own.
struct error_queue_cleaner {
  error_queue_cleaner() = default;
  error_queue_cleaner(const error_queue_cleaner&) = delete;
  error_queue_cleaner& operator=(const error_queue_cleaner&) = delete;
  ~error_queue_cleaner() { ERR_clear_error(); }
};

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view without_leading_zeros(std::string_view number) noexcept {
  while (number.starts_with('\0')) number.remove_prefix(1);
  return number;
}

// Returns the public key of these parameters, or null if they are none: for a point beside its curve, too.
std::shared_ptr<EVP_PKEY> make_key(const char* type, OSSL_PARAM_BLD* built) {
  const params made(OSSL_PARAM_BLD_to_param(built));
  const key_context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!made || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, made.get()) != 1) {
    return nullptr;
  }
  return {key, EVP_PKEY_free};
}

// Returns the signature in the form of OpenSSL (a SEQUENCE of two INTEGERs in DER) for the two numbers of a token;
// empty if it has another length.
std::vector<unsigned char> to_der(std::string_view signature) {
  if (signature.size() != es256_signature_bytes) return {};
  constexpr int half = static_cast<int>(es256_signature_bytes / 2);
  bignum r(BN_bin2bn(bytes_of(signature), half, nullptr));
  bignum s(BN_bin2bn(bytes_of(signature) + half, half, nullptr));
  const ecdsa_signature both(ECDSA_SIG_new());
  if (!r || !s || !both || ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(both.get(), &der);
  if (length <= 0) return {};
  std::vector<unsigned char> bytes(der, der + length);
  OPENSSL_free(der);
  return bytes;
}

}  // namespace

std::optional<signature_algorithm> parse_algorithm(std::string_view name) noexcept {
  if (name == "RS256") return signature_algorithm::rs256;
  if (name == "ES256") return signature_algorithm::es256;
  if (name == "EdDSA") return signature_algorithm::eddsa;
  return std::nullopt;
}

signature_context::signature_context() : context_(EVP_MD_CTX_new()) {
  ORDEM_CHECK(context_ != nullptr);
}

signature_context::~signature_context() {
  EVP_MD_CTX_free(context_);
}

tl::expected<public_key, std::string> public_key::make_rsa(std::string_view modulus, std::string_view exponent) {
  const error_queue_cleaner clean;
  modulus = without_leading_zeros(modulus);
  exponent = without_leading_zeros(exponent);
  if (modulus.size() > rsa_bits_max / 8) return tl::make_unexpected(std::string("has more than 8192 bits"));
  const bignum n(BN_bin2bn(bytes_of(modulus), static_cast<int>(modulus.size()), nullptr));
  if (!n || BN_num_bits(n.get()) < rsa_bits_min) return tl::make_unexpected(std::string("has fewer than 2048 bits"));
  const bool is_exponent = !exponent.empty() && exponent.size() <= exponent_bytes_max && exponent != "\1" &&
                           (static_cast<unsigned char>(exponent.back()) & 1U) != 0;
  if (!is_exponent) return tl::make_unexpected(std::string("has no exponent that is in use"));
  const bignum e(BN_bin2bn(bytes_of(exponent), static_cast<int>(exponent.size()), nullptr));
  const param_builder built(OSSL_PARAM_BLD_new());
  if (!e || !built || OSSL_PARAM_BLD_push_BN(built.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(built.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return tl::make_unexpected(std::string("cannot be read"));
  }
  auto key = make_key("RSA", built.get());
  if (!key) return tl::make_unexpected(std::string("is not an RSA key"));
  return public_key(signature_algorithm::rs256, std::move(key));
}

tl::expected<public_key, std::string> public_key::make_p256(std::string_view x, std::string_view y) {
  const error_queue_cleaner clean;
  if (x.size() != coordinate_bytes || y.size() != coordinate_bytes) {
    return tl::make_unexpected(std::string("has a coordinate of another length than 32 bytes"));
  }
  const std::string point = '\4' + std::string(x) + std::string(y);  // uncompressed (SEC 1, section 2.3.3)
  const param_builder built(OSSL_PARAM_BLD_new());
  if (!built || OSSL_PARAM_BLD_push_utf8_string(built.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(built.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
    return tl::make_unexpected(std::string("cannot be read"));
  }
  auto key = make_key("EC", built.get());
  if (!key) return tl::make_unexpected(std::string("is not a point of P-256"));
  return public_key(signature_algorithm::es256, std::move(key));
}

tl::expected<public_key, std::string> public_key::make_ed25519(std::string_view x) {
  const error_queue_cleaner clean;
  if (x.size() != ed25519_key_bytes) return tl::make_unexpected(std::string("has another length than 32 bytes"));
  std::shared_ptr<EVP_PKEY> key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size()),
                                EVP_PKEY_free);
  if (!key) return tl::make_unexpected(std::string("is not a key of Ed25519"));
  return public_key(signature_algorithm::eddsa, std::move(key));
}

bool public_key::has_signed(std::string_view text, std::string_view signature, const signature_context& context) const {
  const error_queue_cleaner clean;
  std::vector<unsigned char> der;
  if (algorithm_ == signature_algorithm::es256) {
    der = to_der(signature);
    if (der.empty()) return false;
    signature = {reinterpret_cast<const char*>(der.data()), der.size()};
  }
  const EVP_MD* hash = algorithm_ == signature_algorithm::eddsa ? nullptr : EVP_sha256();
  return EVP_MD_CTX_reset(context.get()) == 1 &&
         EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) == 1;
}

}  // namespace ordem::auth
