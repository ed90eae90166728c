#include "tests/auth/issuer.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>
#include <stdexcept>

namespace ordem::testing {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL failed");
}

// The number as bytes, with zeros in front up to `length`; 0: as many as it needs.
std::string number_of(evp_pkey_st* key, const char* name, int length = 0) {
  BIGNUM* number = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string bytes(static_cast<std::size_t>(length > 0 ? length : BN_num_bytes(number)), '\0');
  require(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) > 0);
  BN_free(number);
  return bytes;
}

std::string text_member(const std::string& name, const std::string& bytes) {
  return ",\"" + name + "\":\"" + to_base64url(bytes) + "\"";
}

// The two numbers of a signature in DER, 32 bytes each.
std::string from_der(const std::string& der) {
  const unsigned char* at = bytes_of(der);
  ECDSA_SIG* both = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  require(both != nullptr);
  std::string bytes(64, '\0');
  auto* const to = reinterpret_cast<unsigned char*>(bytes.data());
  require(BN_bn2binpad(ECDSA_SIG_get0_r(both), to, 32) == 32 &&
          BN_bn2binpad(ECDSA_SIG_get0_s(both), to + 32, 32) == 32);
  ECDSA_SIG_free(both);
  return bytes;
}

}  // namespace

std::string to_base64url(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned held = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) text += digits[held >> (count - 6) & 63U];
    held &= (1U << count) - 1;
  }
  if (count > 0) text += digits[held << (6 - count) & 63U];
  return text;
}

issuer::issuer(std::string algorithm, evp_pkey_st* key) : algorithm_(std::move(algorithm)), key_(key, EVP_PKEY_free) {
  require(key != nullptr);
}

issuer issuer::rsa(unsigned bits) {
  return {"RS256", EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits))};
}
issuer issuer::p256() {
  return {"ES256", EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
}
issuer issuer::p384() {
  return {"ES384", EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384")};
}
issuer issuer::ed25519() {
  return {"EdDSA", EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
}

std::string issuer::jwk(const std::string& members) const {
  std::string text = "{" + members;
  if (algorithm_ == "RS256") {
    text += "\"kty\":\"RSA\"" + text_member("n", number_of(key_.get(), OSSL_PKEY_PARAM_RSA_N)) +
            text_member("e", number_of(key_.get(), OSSL_PKEY_PARAM_RSA_E));
  } else if (algorithm_ == "EdDSA") {
    std::string x(32, '\0');
    std::size_t length = x.size();
    require(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(x.data()), &length) == 1);
    text += R"("kty":"OKP","crv":"Ed25519")" + text_member("x", x);
  } else {
    const int length = algorithm_ == "ES256" ? 32 : 48;
    text += "\"kty\":\"EC\",\"crv\":\"" + std::string(length == 32 ? "P-256" : "P-384") + "\"" +
            text_member("x", number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, length)) +
            text_member("y", number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, length));
  }
  return text + "}";
}

std::string issuer::pem() const {
  BIO* const out = BIO_new(BIO_s_mem());
  require(out != nullptr && PEM_write_bio_PUBKEY(out, key_.get()) == 1);
  char* text = nullptr;
  const long length = BIO_get_mem_data(out, &text);
  std::string result(text, static_cast<std::size_t>(length));
  BIO_free(out);
  return result;
}

std::string issuer::signature_of(const std::string& text) const {
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  const EVP_MD* const hash = algorithm_ == "EdDSA" ? nullptr : EVP_sha256();
  require(EVP_DigestSignInit(context, nullptr, hash, nullptr, key_.get()) == 1);
  std::size_t length = 0;
  require(EVP_DigestSign(context, nullptr, &length, bytes_of(text), text.size()) == 1);
  std::string signature(length, '\0');
  require(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &length, bytes_of(text),
                         text.size()) == 1);
  EVP_MD_CTX_free(context);
  signature.resize(length);
  return algorithm_ == "ES256" ? from_der(signature) : signature;
}

std::string issuer::sign(const std::string& header, const std::string& claims) const {
  const std::string text = to_base64url(header) + "." + to_base64url(claims);
  return text + "." + to_base64url(signature_of(text));
}

std::string issuer::token(const std::string& claims, const std::string& key_id) const {
  const std::string id = key_id.empty() ? "" : ",\"kid\":\"" + key_id + "\"";
  return sign("{\"alg\":\"" + algorithm_ + "\"" + id + "}", claims);
}

std::string signed_by_hmac(std::string_view secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  require(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes_of(text), text.size(), mac.data(),
               &length) != nullptr);
  return {reinterpret_cast<const char*>(mac.data()), length};
}

std::string key_set_of(const std::vector<std::string>& keys) {
  std::string list;
  for (const std::string& each : keys) list += (list.empty() ? "" : ",") + each;
  return "{\"keys\":[" + list + "]}";
}

const issuer& rsa_issuer() {
  static const issuer one = issuer::rsa();
  return one;
}
const issuer& p256_issuer() {
  static const issuer one = issuer::p256();
  return one;
}
const issuer& ed25519_issuer() {
  static const issuer one = issuer::ed25519();
  return one;
}

}  // namespace ordem::testing
