#include "auth/directory.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "auth/encoding/sha256.hpp"
#include "auth/keys/api_key.hpp"
#include "tests/auth/issuer.hpp"

namespace ordem::auth {
namespace {

using namespace std::chrono_literals;
using namespace testing;

constexpr timestamp now{1'800'000'000s};

std::string key_number(std::uint8_t number) {
  std::array<std::uint8_t, 32> bits{};
  bits.back() = number;
  return to_api_key(bits);
}

std::string line_of(const std::string& name, const std::string& key, const std::string& more = "") {
  return "name=" + name + " tenant=shop scopes=orders:read key=sha256:" + to_hex(sha256().of(key)) + more + "\n";
}

directory_settings settings() {
  directory_settings values;
  values.tokens.issuer = "i";
  values.tokens.audience = "a";
  return values;
}

std::string token_of(const issuer& from, const std::string& id = "k") {
  return from.token(R"({"iss":"i","aud":"a","exp":1800000300,"sub":"t","scope":"captures"})", id);
}

const identity till{{"shop", "till-7"}, {scope::orders_read}};
const identity by_certificate{{"", "till-8"}, {scope::captures}};
const std::string subject_line = "name=till-8 scopes=captures subject=\"CN=till-8,O=shop\"\n";

// What one request gets: its identity, or why it has none.
struct result {
  std::optional<identity> who;
  std::optional<denial> why;
};
result ask(authenticator& of, const std::string& authorization, const std::string& subject = "", timestamp at = now) {
  const auto answer = of.authenticate({authorization, subject}, at);
  if (!answer) return {std::nullopt, answer.error()};
  return {**answer, std::nullopt};
}

TEST_CASE("an API key names its identity") {
  directory known(settings());
  CHECK(known.replace_keys(line_of("till-7", key_number(1)) + line_of("till-9", key_number(2))) == 2U);
  const auto authenticator = known.make_authenticator();
  CHECK(ask(*authenticator, "Bearer " + key_number(1)).who == till);
  CHECK(ask(*authenticator, "Bearer " + key_number(2)).who == identity{{"shop", "till-9"}, {scope::orders_read}});
  CHECK(ask(*authenticator, "Bearer " + key_number(3)).why == denial::unknown_key);
  CHECK(ask(*authenticator, "Bearer " + key_number(1).substr(0, 56)).why == denial::malformed);
  CHECK(ask(*authenticator, "Bearer " + key_number(1) + "0").why == denial::malformed);
  CHECK(ask(*authenticator, "Bearer ordem_" + std::string(51, '0')).why == denial::malformed);
}

TEST_CASE("the scheme of Authorization is Bearer, in any case, with spaces around the token") {
  directory known(settings());
  REQUIRE(known.replace_keys(line_of("till-7", key_number(1))).has_value());
  const auto authenticator = known.make_authenticator();
  for (const std::string scheme : {"Bearer ", "bearer ", "BEARER   "}) {
    CHECK(ask(*authenticator, scheme + key_number(1)).who == till);
    CHECK(ask(*authenticator, scheme + key_number(1) + " \t").who == till);
  }
  for (const std::string scheme : {"", "Bearer", "Bearer:", "Basic ", "Token ", " Bearer ", "Bearer x "}) {
    CAPTURE(scheme);
    CHECK(ask(*authenticator, scheme + key_number(1)).why == denial::malformed);
  }
  for (const std::string text : {"Bearer", "Bearer ", "Bearer    ", "B", "Basic dXNlcjpwdw=="})
    CHECK(ask(*authenticator, text).why == denial::malformed);
}

TEST_CASE("a key counts until it expires") {
  directory known(settings());
  REQUIRE(known.replace_keys(line_of("till-7", key_number(1), " expires=2027-01-15T08:00:00Z")).has_value());
  const auto authenticator = known.make_authenticator();
  const timestamp end{1'800'000'000s};
  CHECK(ask(*authenticator, "Bearer " + key_number(1), "", end - 1ms).who == till);
  CHECK(ask(*authenticator, "Bearer " + key_number(1), "", end).why == denial::expired);
}

TEST_CASE("a certificate counts where there is no Authorization") {
  directory known(settings());
  REQUIRE(known.replace_keys(line_of("till-7", key_number(1)) + subject_line).has_value());
  const auto authenticator = known.make_authenticator();
  CHECK(ask(*authenticator, "", "CN=till-8,O=shop").who == by_certificate);
  CHECK(ask(*authenticator, "", "CN=till-8").why == denial::unknown_subject);
  CHECK(ask(*authenticator, "", "cn=till-8,o=shop").why == denial::unknown_subject);
  CHECK(ask(*authenticator, "Bearer " + key_number(1), "CN=till-8,O=shop").who == till);
  CHECK(ask(*authenticator, "Bearer " + key_number(3), "CN=till-8,O=shop").why == denial::unknown_key);
  CHECK(ask(*authenticator, "").why == denial::missing);
}

TEST_CASE("a directory without keys knows no one") {
  directory known(settings());
  const auto authenticator = known.make_authenticator();
  CHECK(ask(*authenticator, "Bearer " + key_number(1)).why == denial::unknown_key);
  CHECK(ask(*authenticator, "Bearer " + token_of(p256_issuer())).why == denial::unknown_token_key);
  CHECK(ask(*authenticator, "Bearer x").why == denial::malformed);
  CHECK(ask(*authenticator, "", "CN=a").why == denial::unknown_subject);
  CHECK(ask(*authenticator, "").why == denial::missing);
}

TEST_CASE("a key that was removed from the file is refused from the next request on") {
  directory known(settings());
  REQUIRE(known.replace_keys(line_of("till-7", key_number(1))).has_value());
  const auto authenticator = known.make_authenticator();
  CHECK(ask(*authenticator, "Bearer " + key_number(1)).who == till);
  CHECK(known.replace_keys("") == 0U);
  CHECK(ask(*authenticator, "Bearer " + key_number(1)).why == denial::unknown_key);
}

TEST_CASE("a keys file or key set with an error changes nothing") {
  directory known(settings());
  REQUIRE(known.replace_keys(line_of("till-7", key_number(1))).has_value());
  REQUIRE(known.replace_key_set(key_set_of({p256_issuer().jwk("\"kid\":\"k\",")})).has_value());
  const auto authenticator = known.make_authenticator();
  CHECK(known.replace_keys("name").error() == "line 1: each part must be NAME=VALUE");
  CHECK(known.replace_key_set("{}").error() == "is not a JSON object with an array 'keys' (RFC 7517)");
  CHECK(ask(*authenticator, "Bearer " + key_number(1)).who == till);
  CHECK(ask(*authenticator, "Bearer " + token_of(p256_issuer())).who.has_value());
}

TEST_CASE("a token that was remembered is refused once its key is gone") {
  directory known(settings());
  const auto set = known.replace_key_set(key_set_of({p256_issuer().jwk("\"kid\":\"k\","), "{}"}));
  REQUIRE(set.has_value());
  CHECK(set->keys == 1);
  CHECK(set->left_out.size() == 1);
  const auto authenticator = known.make_authenticator();
  const std::string token = "Bearer " + token_of(p256_issuer());
  CHECK(ask(*authenticator, token).who == identity{{"", "t"}, {scope::captures}});
  CHECK(ask(*authenticator, token).who.has_value());
  REQUIRE(known.replace_key_set(key_set_of({rsa_issuer().jwk("\"kid\":\"k\",")})).has_value());
  CHECK(ask(*authenticator, token).why == denial::unknown_token_key);
}

TEST_CASE("a token that was remembered ends at its time") {
  directory known(settings());
  REQUIRE(known.replace_key_set(key_set_of({p256_issuer().jwk("\"kid\":\"k\",")})).has_value());
  const auto authenticator = known.make_authenticator();
  const std::string token = "Bearer " + token_of(p256_issuer());
  CHECK(ask(*authenticator, token).who.has_value());
  CHECK(ask(*authenticator, token, "", now + 359'999ms).who.has_value());
  CHECK(ask(*authenticator, token, "", now + 360s).why == denial::expired);
}

TEST_CASE("the same identity is returned for a token seen before") {
  directory known(settings());
  REQUIRE(known.replace_key_set(key_set_of({p256_issuer().jwk("\"kid\":\"k\",")})).has_value());
  const auto authenticator = known.make_authenticator();
  const std::string token = "Bearer " + token_of(p256_issuer());
  const auto first = authenticator->authenticate({token, ""}, now);
  REQUIRE(first.has_value());
  CHECK(authenticator->authenticate({token, ""}, now)->get() == first->get());
}

TEST_CASE("a huge token is refused without a hash of it") {
  directory known(settings());
  const auto authenticator = known.make_authenticator();
  CHECK(ask(*authenticator, "Bearer " + std::string(std::size_t{1} << 20, 'x')).why == denial::malformed);
}

TEST_CASE("a new key set is asked for when a token of an unknown key comes, at most once in the interval") {
  directory known(settings());
  const auto authenticator = known.make_authenticator();
  const std::chrono::steady_clock::time_point start{};
  CHECK_FALSE(known.take_key_set_request(start));
  const std::string token = "Bearer " + token_of(p256_issuer());
  REQUIRE(ask(*authenticator, token).why == denial::unknown_token_key);
  CHECK(known.take_key_set_request(start));
  CHECK_FALSE(known.take_key_set_request(start));
  REQUIRE(ask(*authenticator, token).why == denial::unknown_token_key);
  CHECK_FALSE(known.take_key_set_request(start + 29'999ms));
  CHECK(known.take_key_set_request(start + 30s));
  CHECK_FALSE(known.take_key_set_request(start + 90s));
  REQUIRE(ask(*authenticator, "Bearer " + key_number(1)).why == denial::unknown_key);
  CHECK_FALSE(known.take_key_set_request(start + 90s));
}

TEST_CASE("authenticators of several threads see each replacement, and no half of one") {
  directory known(settings());
  // The key is always there, with another name each time.
  REQUIRE(known.replace_keys(line_of("n0", key_number(1))).has_value());
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      const auto authenticator = known.make_authenticator();
      int newest = 0;
      while (!done.load()) {
        const auto answer = ask(*authenticator, "Bearer " + key_number(1));
        const int seen = answer.who ? std::stoi(answer.who->origin.actor.substr(1)) : -1;
        if (seen < newest) ++wrong;
        newest = seen;
      }
      const auto last = ask(*authenticator, "Bearer " + key_number(1));
      if (!last.who || last.who->origin.actor != "n200") ++wrong;
    });
  }
  for (int i = 1; i <= 200; ++i) {
    if (!known.replace_keys(line_of("n" + std::to_string(i), key_number(1)))) ++wrong;
  }
  done.store(true);
  for (std::thread& each : threads) each.join();
  CHECK(wrong.load() == 0);
}

}  // namespace
}  // namespace ordem::auth
