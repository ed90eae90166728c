#include "auth/tokens/key_set.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "engine/base/limits.hpp"
#include "tests/auth/issuer.hpp"

namespace ordem::auth {
namespace {

using Catch::Contains;
using namespace testing;

key_set set_of(const std::vector<std::string>& keys) {
  auto parsed = key_set::parse(key_set_of(keys));
  if (!parsed) throw std::runtime_error(parsed.error());
  return std::move(*parsed);
}

TEST_CASE("a key is found by its id and its algorithm") {
  const key_set set =
      set_of({rsa_issuer().jwk("\"kid\":\"a\",\"use\":\"sig\",\"alg\":\"RS256\","), p256_issuer().jwk("\"kid\":\"b\","),
              ed25519_issuer().jwk("\"kid\":\"b\",\"key_ops\":[\"verify\"],")});
  CHECK(set.size() == 3);
  CHECK(set.left_out().empty());
  REQUIRE(set.find("a", signature_algorithm::rs256) != nullptr);
  CHECK(set.find("a", signature_algorithm::rs256)->algorithm() == signature_algorithm::rs256);
  CHECK(set.find("b", signature_algorithm::es256) != nullptr);
  CHECK(set.find("b", signature_algorithm::eddsa) != nullptr);
  CHECK(set.find("a", signature_algorithm::es256) == nullptr);
  CHECK(set.find("b", signature_algorithm::rs256) == nullptr);
  for (const auto* const other : {"", "A", "a ", "c", "../a", "a' OR '1'='1"})
    CHECK(set.find(other, signature_algorithm::rs256) == nullptr);
}

TEST_CASE("without an id the only key of the algorithm is found") {
  const std::string first = rsa_issuer().jwk("\"kid\":\"a\",");
  CHECK(set_of({first, p256_issuer().jwk()}).find(std::nullopt, signature_algorithm::rs256) != nullptr);
  CHECK(set_of({first, rsa_issuer().jwk()}).find(std::nullopt, signature_algorithm::rs256) == nullptr);
  CHECK(set_of({first}).find(std::nullopt, signature_algorithm::es256) == nullptr);
  CHECK(key_set().find(std::nullopt, signature_algorithm::rs256) == nullptr);
}

TEST_CASE("a key without an id is not found by one") {
  CHECK(set_of({rsa_issuer().jwk()}).find("", signature_algorithm::rs256) == nullptr);
}

TEST_CASE("keys that cannot check a token are left out, with the reason") {
  struct row {
    std::string key;
    std::string_view why;
  };
  static const issuer short_key = issuer::rsa(1024);
  static const issuer other_curve = issuer::p384();
  const std::string x = to_base64url(std::string(32, 'x'));
  const std::vector<row> rows = {
      {"1", "is not an object"},
      {"{}", "has a kty other than"},
      {R"({"kty":"oct","k":"c2VjcmV0"})", "has a kty other than"},
      {R"({"kty":["RSA"]})", "has a kty other than"},
      {rsa_issuer().jwk("\"use\":\"enc\","), "is not for signatures"},
      {rsa_issuer().jwk("\"use\":1,"), "is not for signatures"},
      {rsa_issuer().jwk("\"key_ops\":[\"sign\"],"), "is not for signatures"},
      {rsa_issuer().jwk("\"key_ops\":\"verify\","), "is not for signatures"},
      {rsa_issuer().jwk("\"alg\":\"ES256\","), "has an alg that is not for its kty"},
      {rsa_issuer().jwk("\"alg\":\"PS256\","), "has an alg other than"},
      {rsa_issuer().jwk("\"alg\":\"HS256\","), "has an alg other than"},
      {rsa_issuer().jwk("\"alg\":null,"), "has an alg other than"},
      {rsa_issuer().jwk("\"kid\":7,"), "has a kid that is not a string"},
      {rsa_issuer().jwk("\"kty\":\"RSA\","), "has a member twice"},
      {short_key.jwk(), "has fewer than 2048 bits"},
      {other_curve.jwk(), "is not on P-256"},
      {R"({"kty":"RSA","n":"AQAB"})", "has no n or no e"},
      {R"({"kty":"RSA","n":"A+","e":"AQAB"})", "has no n or no e"},
      {R"({"kty":"RSA","n":"","e":"AQAB"})", "has fewer than 2048 bits"},
      {R"({"kty":"RSA","n":")" + to_base64url(std::string(1025, 'n')) + R"(","e":"AQAB"})", "has more than 8192 bits"},
      {R"({"kty":"RSA","n":")" + to_base64url(std::string(256, '\xFF')) + R"(","e":"AQ"})", "has no exponent"},
      {R"({"kty":"RSA","n":")" + to_base64url(std::string(256, '\xFF')) + R"(","e":"AAI"})", "has no exponent"},
      {R"({"kty":"EC","crv":"P-256","x":")" + x + "\"}", "has no x or no y"},
      {R"({"kty":"EC","crv":"P-256","x":")" + x + R"(","y":")" + x + "\"}", "is not a point of P-256"},
      {R"({"kty":"EC","crv":"P-256","x":")" + x + R"(","y":"AQ"})", "another length than 32 bytes"},
      {R"({"kty":"OKP","crv":"X25519","x":")" + x + "\"}", "is not of Ed25519"},
      {R"({"kty":"OKP","crv":"Ed25519","x":"AQ"})", "another length than 32 bytes"},
  };
  for (const auto& [key, why] : rows) {
    CAPTURE(key);
    const key_set set = set_of({key, p256_issuer().jwk("\"kid\":\"good\",")});
    CHECK(set.size() == 1);
    REQUIRE(set.left_out().size() == 1);
    CHECK_THAT(set.left_out().front(), Catch::StartsWith("key 1") && Contains(std::string(why)));
    const auto alone = key_set::parse(key_set_of({key}));
    REQUIRE_FALSE(alone.has_value());
    CHECK_THAT(alone.error(), Contains("has no key that can be used; key 1") && Contains(std::string(why)));
  }
}

TEST_CASE("a text that is no key set is refused") {
  const auto* const text =
      GENERATE("", "{", "[]", "{}", R"({"keys":{}})", R"({"keys":[],"keys":[]})", "-----BEGIN PUBLIC KEY-----");
  CAPTURE(text);
  const auto parsed = key_set::parse(text);
  REQUIRE_FALSE(parsed.has_value());
  CHECK_THAT(parsed.error(), Contains("is not a JSON object with an array 'keys'"));
}

TEST_CASE("a key set beyond its bounds is refused") {
  CHECK(key_set::parse(std::string(key_set_bytes_max + 1, ' ')).error() == "is larger than 256 KiB");
  CHECK(key_set::parse(key_set_of(std::vector<std::string>(key_set_keys_max + 1, "{}"))).error() ==
        "has more than 100 keys");
  CHECK(key_set::parse(R"({"keys":[]})").error() == "has no key");
  const std::size_t depth = limits::json_depth_max + 1;
  CHECK_FALSE(key_set::parse("{\"keys\":" + std::string(depth, '[') + std::string(depth, ']') + "}").has_value());
}

}  // namespace
}  // namespace ordem::auth
