// Tokens that are refused, and why. The cases are those of RFC 8725 and of known attacks.

#include "auth/tokens/token_verifier.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/auth/issuer.hpp"

namespace ordem::auth {
namespace {

using namespace std::chrono_literals;
using namespace testing;

constexpr std::int64_t now_s = 1'800'000'000;
constexpr timestamp now{std::chrono::seconds(now_s)};

token_rules rules() {
  return {.issuer = "https://issuer.example/", .audience = "ordem"};
}

const std::string who = R"("sub":"till-7","tenant":"shop","scope":"orders:read other:scope orders:write")";

// Claims with these members besides the issuer and the audience.
std::string claims(const std::string& members) {
  return R"({"iss":"https://issuer.example/","aud":"ordem",)" + members + "}";
}
std::string expiring(const std::string& members) {
  return claims("\"exp\":" + std::to_string(now_s + 300) + "," + members);
}
const std::string good_claims = expiring(who);

// All three issuers, with the ids a, b and c.
const key_set& keys() {
  static const key_set set =
      *key_set::parse(key_set_of({rsa_issuer().jwk("\"kid\":\"a\","), p256_issuer().jwk("\"kid\":\"b\","),
                                  ed25519_issuer().jwk("\"kid\":\"c\",")}));
  return set;
}

tl::expected<verified_token, denial> verify(const std::string& token, const key_set& by = keys(), timestamp at = now,
                                            const token_rules& with = rules()) {
  return token_verifier(with).verify(token, by, at);
}

denial refusal_of(const std::string& token, const key_set& by = keys(), timestamp at = now,
                  const token_rules& with = rules()) {
  const auto verified = verify(token, by, at, with);
  if (verified) throw std::runtime_error("the token is taken");
  return verified.error();
}

// --- what is taken ---

TEST_CASE("a token of each algorithm names an identity") {
  const issuer& from = *GENERATE(as<const issuer*>(), &rsa_issuer(), &p256_issuer(), &ed25519_issuer());
  const std::string id = from.algorithm() == "RS256" ? "a" : from.algorithm() == "ES256" ? "b" : "c";
  for (const std::string& token : {from.token(good_claims, id), from.token(good_claims)}) {
    const auto verified = verify(token);
    REQUIRE(verified.has_value());
    CHECK(*verified->identity == identity{{"shop", "till-7"}, {scope::orders_read, scope::orders_write}});
    CHECK(verified->until == now + 300s + 60s);
  }
}

TEST_CASE("many signatures on P-256 are taken, whatever zeros they begin with") {
  for (int i = 0; i < 200; ++i) REQUIRE(verify(p256_issuer().token(good_claims, "b")).has_value());
}

TEST_CASE("the type of a token may be missing, JWT or at+jwt") {
  for (const auto* const type : {"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"}) {
    CHECK(verify(p256_issuer().sign(R"({"alg":"ES256","typ":")" + std::string(type) + "\"}", good_claims)).has_value());
  }
}

TEST_CASE("claims that a token may have in several forms") {
  const auto identity_of = [](const std::string& members, const token_rules& with = rules()) {
    const auto verified =
        verify(p256_issuer().token(R"({"iss":"https://issuer.example/",)" + members + "}", "b"), keys(), now, with);
    if (!verified) throw std::runtime_error("refused: " + std::to_string(static_cast<int>(verified.error())));
    return *verified->identity;
  };
  const std::string until = R"("exp":1800000300,)";
  const identity plain{{"", "a"}, {}};
  CHECK(identity_of(until + R"("aud":["x","ordem"],"sub":"a")") == plain);
  CHECK(identity_of(until + R"("aud":"ordem","sub":"a","scope":["captures","x"],"tenant":"")") ==
        identity{{"", "a"}, {scope::captures}});
  CHECK(identity_of(until + R"("aud":"ordem","sub":"a","scope":"  captures  operations ")") ==
        identity{{"", "a"}, {scope::captures, scope::operations}});
  CHECK(identity_of(R"("aud":"ordem","sub":"a","exp":1800000000.5e0,"nbf":1,"iat":0)") == plain);
  token_rules with = rules();
  with.name_claim = "client_id";
  with.tenant_claim = "https://issuer.example/tenant";
  with.scope_claim = "roles";
  CHECK(
      identity_of(
          until +
              R"("aud":"ordem","sub":"|","client_id":"b","tenant":1,"scope":1,"https://issuer.example/tenant":"t","roles":["operations"])",
          with) == identity{{"t", "b"}, {scope::operations}});
}

// --- the form ---

TEST_CASE("a text that is not a token in its compact form is malformed") {
  const std::string token = rsa_issuer().token(good_claims, "a");
  const auto first = token.find('.');
  const auto second = token.rfind('.');
  const std::string header = token.substr(0, first);
  const std::string middle = token.substr(first + 1, second - first - 1);
  const std::string signature = token.substr(second + 1);
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("x"), header + "." + middle, token + ".",
        token + "." + signature, "." + token, header + "=." + middle + "." + signature,
        header + "." + middle + "." + signature + "=", header + ".\x20." + signature,
        header + "." + middle + ".+" + signature.substr(1), token + "\n",
        to_base64url("[]") + "." + middle + "." + signature, to_base64url("{") + "." + middle + "." + signature,
        to_base64url("\xFF") + "." + middle + "." + signature}) {
    CAPTURE(text);
    CHECK(refusal_of(text) == denial::malformed);
  }
  // The form of encryption, and of a signature in JSON.
  CHECK(refusal_of(header + ".." + middle + "." + signature + ".x") == denial::malformed);
  CHECK(refusal_of(R"({"protected":")" + header + R"(","payload":")" + middle + R"(","signature":")" + signature +
                   "\"}") == denial::malformed);
}

TEST_CASE("a token cut short at any place is refused") {
  const std::string token = ed25519_issuer().token(good_claims, "c");
  for (std::size_t length = 0; length < token.size(); ++length) {
    const auto verified = verify(token.substr(0, length));
    CAPTURE(length);
    CHECK_FALSE(verified.has_value());
  }
}

TEST_CASE("a token with any one character changed is refused") {
  const std::string token = ed25519_issuer().token(good_claims, "c");
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CAPTURE(i);
    CHECK_FALSE(verify(changed).has_value());
  }
}

TEST_CASE("a huge token is refused before it is looked at") {
  const std::string padding(token_bytes_max, 'x');
  CHECK(refusal_of(rsa_issuer().token(expiring(who + ",\"pad\":\"" + padding + "\""), "a")) == denial::malformed);
  CHECK(refusal_of(std::string(std::size_t{10} << 20, '.')) == denial::malformed);
}

TEST_CASE("a header or claims with a member twice are refused") {
  CHECK(refusal_of(rsa_issuer().sign(R"({"alg":"RS256","kid":"a","alg":"RS256"})", good_claims)) == denial::malformed);
  CHECK(refusal_of(rsa_issuer().sign(R"({"alg":"RS256"})", expiring(who + R"(,"sub":"other")"))) == denial::bad_claims);
}

TEST_CASE("JSON that is nested too deeply is refused") {
  const std::string deep = std::string(70, '[') + std::string(70, ']');
  CHECK(refusal_of(rsa_issuer().sign(R"({"alg":"RS256","x":)" + deep + "}", good_claims)) == denial::malformed);
  CHECK(refusal_of(rsa_issuer().sign(R"({"alg":"RS256"})", expiring(who + ",\"x\":" + deep))) == denial::bad_claims);
}

// --- the algorithm ---

TEST_CASE("a token without a signature is refused") {
  const auto* const name = GENERATE("none", "None", "NONE", "nOnE", "");
  for (const std::string signature : {"", "AAAA"}) {
    const std::string header = to_base64url(R"({"alg":")" + std::string(name) + "\"}");
    CHECK(refusal_of(header + "." + to_base64url(good_claims) + "." + signature) == denial::wrong_algorithm);
  }
  // With an algorithm that is known.
  CHECK(refusal_of(to_base64url(R"({"alg":"RS256","kid":"a"})") + "." + to_base64url(good_claims) + ".") ==
        denial::bad_signature);
}

TEST_CASE("an HMAC under the public key, in any form, is refused") {
  const std::string text = to_base64url(R"({"alg":"HS256","kid":"a"})") + "." + to_base64url(good_claims);
  for (const std::string& secret : {rsa_issuer().pem(), rsa_issuer().jwk(), std::string()}) {
    CHECK(refusal_of(text + "." + to_base64url(signed_by_hmac(secret, text))) == denial::wrong_algorithm);
  }
  const std::string as_rsa = to_base64url(R"({"alg":"RS256","kid":"a"})") + "." + to_base64url(good_claims);
  CHECK(refusal_of(as_rsa + "." + to_base64url(signed_by_hmac(rsa_issuer().pem(), as_rsa))) == denial::bad_signature);
}

TEST_CASE("an algorithm other than the three is refused") {
  const auto* const header =
      GENERATE("{}", R"({"alg":"RS384"})", R"({"alg":"RS512"})", R"({"alg":"PS256"})", R"({"alg":"ES384"})",
               R"({"alg":"ES256K"})", R"({"alg":"rs256"})", R"({"alg":"RS256 "})", R"({"alg":null})",
               R"({"alg":["RS256"]})", R"({"ALG":"RS256"})");
  CAPTURE(header);
  CHECK(refusal_of(rsa_issuer().sign(header, good_claims)) == denial::wrong_algorithm);
}

TEST_CASE("a key is not used with the algorithm of another kind of key") {
  // `a` is an RSA key, `b` one of P-256.
  CHECK(refusal_of(p256_issuer().sign(R"({"alg":"ES256","kid":"a"})", good_claims)) == denial::unknown_token_key);
  CHECK(refusal_of(rsa_issuer().sign(R"({"alg":"RS256","kid":"b"})", good_claims)) == denial::unknown_token_key);
  CHECK(refusal_of(rsa_issuer().sign(R"({"alg":"ES256","kid":"b"})", good_claims)) == denial::bad_signature);
  CHECK(refusal_of(ed25519_issuer().sign(R"({"alg":"ES256","kid":"b"})", good_claims)) == denial::bad_signature);
  CHECK(refusal_of(p256_issuer().sign(R"({"alg":"EdDSA","kid":"c"})", good_claims)) == denial::bad_signature);
}

TEST_CASE("a token of another issuer's key is refused") {
  static const issuer stranger = issuer::p256();
  CHECK(refusal_of(stranger.token(good_claims, "b")) == denial::bad_signature);
  CHECK(refusal_of(stranger.token(good_claims)) == denial::bad_signature);
  CHECK(refusal_of(stranger.token(good_claims, "d")) == denial::unknown_token_key);
}

TEST_CASE("signatures of P-256 with numbers outside the curve's order are refused") {
  const std::string text = to_base64url(R"({"alg":"ES256","kid":"b"})") + "." + to_base64url(good_claims);
  for (const std::string& signature :
       {std::string(64, '\0'), std::string(64, '\xFF'), std::string(63, '\1'), std::string(65, '\1'),
        std::string(31, '\0') + "\1" + std::string(32, '\0'), std::string()}) {
    CHECK(refusal_of(text + "." + to_base64url(signature)) == denial::bad_signature);
  }
}

// --- the key id and other members of the header ---

TEST_CASE("a key id is compared byte by byte, and nothing else is done with it") {
  const auto* const id = GENERATE("", "A", "a ", "d", "../../dev/null", "/etc/passwd", "a' UNION SELECT 'secret",
                                  "http://attacker.example/key", "a\\u0000", "*", "0");
  CAPTURE(id);
  CHECK(refusal_of(rsa_issuer().sign(R"({"alg":"RS256","kid":")" + std::string(id) + "\"}", good_claims)) ==
        denial::unknown_token_key);
}

TEST_CASE("a key id that is not a string is refused") {
  const auto* const id = GENERATE("0", "null", "[\"a\"]", "{\"a\":1}", "true");
  CHECK(refusal_of(rsa_issuer().sign(R"({"alg":"RS256","kid":)" + std::string(id) + "}", good_claims)) ==
        denial::malformed);
}

TEST_CASE("a token without a key id is refused if several keys fit") {
  static const issuer other = issuer::p256();
  const key_set two = *key_set::parse(key_set_of({p256_issuer().jwk("\"kid\":\"a\","), other.jwk("\"kid\":\"b\",")}));
  CHECK(refusal_of(p256_issuer().token(good_claims), two) == denial::unknown_token_key);
  CHECK(verify(p256_issuer().token(good_claims, "a"), two).has_value());
  CHECK(refusal_of(p256_issuer().token(good_claims, "b"), two) == denial::bad_signature);
}

TEST_CASE("a key that a token brings along, or links to, is not used") {
  static const issuer stranger = issuer::rsa();
  const std::string own = R"("jwk":)" + stranger.jwk();
  const std::string link =
      R"("jku":"https://attacker.example/keys","x5u":"https://attacker.example/cert","x5c":["MIIB"])";
  for (const std::string& members : {own, link, own + "," + link}) {
    CHECK(refusal_of(stranger.sign(R"({"alg":"RS256",)" + members + "}", good_claims)) == denial::bad_signature);
    CHECK(refusal_of(stranger.sign(R"({"alg":"RS256","kid":"x",)" + members + "}", good_claims)) ==
          denial::unknown_token_key);
    // Of a known key they change nothing.
    CHECK(verify(rsa_issuer().sign(R"({"alg":"RS256","kid":"a",)" + members + "}", good_claims)).has_value());
  }
}

TEST_CASE("a token with an extension that must be understood is refused") {
  const auto* const crit = GENERATE(R"(["b64"])", R"(["exp"])", "[]", "null", "\"b64\"");
  CHECK(refusal_of(rsa_issuer().sign(R"({"alg":"RS256","b64":false,"crit":)" + std::string(crit) + "}", good_claims)) ==
        denial::malformed);
}

TEST_CASE("a signed object of another type is no token") {
  const auto* const type = GENERATE("\"logout+jwt\"", "\"secevent+jwt\"", "\"JOSE\"", "\"dpop+jwt\"", "\"\"", "1",
                                    "null", "[\"JWT\"]", "\"application/\"", "\"jwt \"");
  CAPTURE(type);
  CHECK(refusal_of(rsa_issuer().sign(R"({"alg":"RS256","typ":)" + std::string(type) + "}", good_claims)) ==
        denial::malformed);
}

// --- times ---

TEST_CASE("a token counts from nbf and iat to exp, with the leeway") {
  struct row {
    std::string members;
    std::chrono::milliseconds from, until;  // from now on
  };
  const std::vector<row> rows = {
      {R"("exp":1800000300)", -24h, 360s},
      {R"("exp":1800000300,"nbf":1800000100)", 40s, 360s},
      {R"("exp":1800000300,"iat":1800000100)", 40s, 360s},
      {R"("exp":1800000300,"nbf":1800000050,"iat":1800000100)", 40s, 360s},
      {R"("exp":1800000300.250)", -24h, 360'250ms},
  };
  for (const auto& [members, from, until] : rows) {
    const std::string token = p256_issuer().token(claims(members + "," + who), "b");
    CAPTURE(members);
    CHECK(verify(token, keys(), now + from).has_value());
    CHECK(verify(token, keys(), now + until - 1ms).has_value());
    CHECK(refusal_of(token, keys(), now + until) == denial::expired);
    if (from > -24h) CHECK(refusal_of(token, keys(), now + from - 1ms) == denial::expired);
  }
}

TEST_CASE("without leeway a token ends at exp") {
  token_rules with = rules();
  with.leeway = 0ms;
  const std::string token = p256_issuer().token(claims(R"("exp":1800000300,"nbf":1800000000,)" + who), "b");
  CHECK(verify(token, keys(), now, with).has_value());
  CHECK(refusal_of(token, keys(), now - 1ms, with) == denial::expired);
  CHECK(verify(token, keys(), now + 299'999ms, with).has_value());
  CHECK(refusal_of(token, keys(), now + 300s, with) == denial::expired);
}

TEST_CASE("a token without exp, or with a time of another type, is refused") {
  const auto* const members =
      GENERATE(R"("x":1)", R"("exp":"1800000300")", R"("exp":null)", R"("exp":true)", R"("exp":[1800000300])",
               R"("exp":-1)", R"("exp":1e300)", R"("exp":253402300800)", R"("exp":18446744073709551615)",
               R"("exp":1800000300,"nbf":"0")", R"("exp":1800000300,"iat":null)", R"("exp":1800000300,"nbf":-5)");
  CAPTURE(members);
  CHECK(refusal_of(p256_issuer().token(claims(std::string(members) + "," + who), "b")) == denial::bad_claims);
}

// --- issuer, audience, identity ---

TEST_CASE("a token of another issuer is refused") {
  const auto* const issuer = GENERATE("", R"("iss":"https://issuer.example",)", R"("iss":"https://issuer.example/x",)",
                                      R"("iss":null,)", R"("iss":["https://issuer.example/"],)", R"("iss":"",)");
  CAPTURE(issuer);
  CHECK(refusal_of(p256_issuer().token("{" + std::string(issuer) + R"("aud":"ordem","exp":1800000300,)" + who + "}",
                                       "b")) == denial::wrong_issuer);
}

TEST_CASE("a token for another audience is refused") {
  const auto* const audience = GENERATE("", R"("aud":"other",)", R"("aud":"ordem2",)", R"("aud":"Ordem",)",
                                        R"("aud":[],)", R"("aud":["other"],)", R"("aud":null,)",
                                        R"("aud":{"ordem":1},)", R"("aud":[["ordem"]],)", R"("aud":"other ordem",)");
  CAPTURE(audience);
  CHECK(refusal_of(p256_issuer().token(
            R"({"iss":"https://issuer.example/",)" + std::string(audience) + "\"exp\":1800000300," + who + "}", "b")) ==
        denial::wrong_audience);
}

TEST_CASE("claims that name no identity are refused") {
  const auto* const members =
      GENERATE(R"("x":1)", R"("sub":"")", R"("sub":7)", R"("sub":null)", R"("sub":"a b")", R"("sub":"a\u0000")",
               R"("sub":"a","tenant":7)", R"("sub":"a","tenant":"Shop")", R"("sub":"a","tenant":null)",
               R"("sub":"a","tenant":["shop"])", R"("sub":"a","scope":7)", R"("sub":"a","scope":{"orders:read":true})",
               R"("sub":"a","scope":[1])", R"("sub":"a","scope":null)",
               R"("sub":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")");
  CAPTURE(members);
  CHECK(refusal_of(p256_issuer().token(expiring(members), "b")) == denial::bad_claims);
}

TEST_CASE("signed claims that are no object are refused") {
  for (const auto* const text : {"", "[]", "7", "\"a\"", "{", "{\"a\":\xFF}"}) {
    CHECK(refusal_of(p256_issuer().token(text, "b")) == denial::bad_claims);
  }
}

// --- keys and tokens of the specifications ---

TEST_CASE("the signatures of the specifications' examples are right") {
  // RFC 7515, appendix A.2 and A.3: claims of the issuer joe without an audience. RFC 8037, appendix A.4: no claims.
  const key_set set = *key_set::parse(R"({"keys":[
    {"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
    {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
    {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
  token_rules with = rules();
  with.issuer = "joe";
  CHECK(
      refusal_of(
          "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
          "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
          "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
          "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
          set, now, with) == denial::wrong_audience);
  CHECK(
      refusal_of(
          "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
          "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
          set, now, with) == denial::wrong_audience);
  CHECK(refusal_of("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                   "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
                   set, now, with) == denial::bad_claims);
}

}  // namespace
}  // namespace ordem::auth
