// Who sent a request: an API key, a token seen before, a token not seen before. Each goes round so many keys or tokens
// that a processor does not learn them.

#include <benchmark/benchmark.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "auth/directory.hpp"
#include "auth/encoding/sha256.hpp"
#include "auth/keys/api_key.hpp"
#include "bench/micro/consume.hpp"

namespace ordem::bench {
namespace {

constexpr timestamp now{std::chrono::seconds(1'800'000'000)};
constexpr std::size_t credentials_max = 1024;

std::string to_base64url(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned held = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) text += digits[held >> (count - 6) & 63U];
  }
  if (count > 0) text += digits[held << (6 - count) & 63U];
  return text;
}

std::string bytes_of(EVP_PKEY* key, const char* number) {
  BIGNUM* value = nullptr;
  expect(EVP_PKEY_get_bn_param(key, number, &value) == 1, "the key has no such number");
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
  BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(value);
  return bytes;
}

// An issuer of tokens with RS256, the algorithm that most have.
class issuer {
 public:
  issuer() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}), EVP_PKEY_free) {
    expect(key_ != nullptr, "no key could be made");
  }

  std::string key_set() const {
    return R"({"keys":[{"kty":"RSA","kid":"a","n":")" + to_base64url(bytes_of(key_.get(), OSSL_PKEY_PARAM_RSA_N)) +
           R"(","e":")" + to_base64url(bytes_of(key_.get(), OSSL_PKEY_PARAM_RSA_E)) + "\"}]}";
  }

  // About 700 bytes, as those of the usual issuers.
  std::string token(std::size_t number) const {
    const std::string text =
        to_base64url(R"({"alg":"RS256","kid":"a","typ":"JWT"})") + "." +
        to_base64url(
            R"({"iss":"https://issuer.example/","aud":["ordem"],"exp":1800003600,"iat":1800000000,"sub":"till-)" +
            std::to_string(number) +
            R"(","tenant":"shop","scope":"orders:read orders:write","jti":"0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f"})");
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    std::string signature(256, '\0');
    std::size_t length = signature.size();
    expect(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
               EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &length,
                              reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1,
           "no signature could be made");
    EVP_MD_CTX_free(context);
    return text + "." + to_base64url(signature);
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

auth::directory_settings settings_of(std::size_t remembered) {
  auth::directory_settings settings;
  settings.tokens.issuer = "https://issuer.example/";
  settings.tokens.audience = "ordem";
  settings.tokens_remembered_max = remembered;
  return settings;
}

void authenticate(benchmark::State& state, auth::directory& known, const std::vector<std::string>& headers) {
  const auto authenticator = known.make_authenticator();
  for (const std::string& each : headers) {
    expect(authenticator->authenticate({each, ""}, now).has_value(), "a credential is refused");
  }
  std::size_t next = 0;
  for (auto _ : state) consume(authenticator->authenticate({headers[next++ % headers.size()], ""}, now));
}

void auth_key(benchmark::State& state) {
  std::string file;
  std::vector<std::string> headers;
  auth::sha256 hash;
  while (headers.size() < credentials_max) {
    const std::string key = auth::generate_api_key().value();
    file += "name=till-7 tenant=shop scopes=orders:read,orders:write key=sha256:" + to_hex(hash.of(key)) + "\n";
    headers.push_back("Bearer " + key);
  }
  auth::directory known(settings_of(1));
  expect(known.replace_keys(file).has_value(), "the keys file is refused");
  authenticate(state, known, headers);
}
BENCHMARK(auth_key);

void auth_token(benchmark::State& state, std::size_t tokens, std::size_t remembered) {
  const issuer from;
  std::vector<std::string> headers;
  while (headers.size() < tokens) headers.push_back("Bearer " + from.token(headers.size()));
  auth::directory known(settings_of(remembered));
  expect(known.replace_key_set(from.key_set()).has_value(), "the key set is refused");
  authenticate(state, known, headers);
}
BENCHMARK_CAPTURE(auth_token, seen_before, credentials_max / 8, credentials_max);
// One is remembered, and two come in turns.
BENCHMARK_CAPTURE(auth_token, not_seen_before, 2, 1);

}  // namespace
}  // namespace ordem::bench
