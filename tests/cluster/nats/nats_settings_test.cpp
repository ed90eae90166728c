#include "cluster/nats/nats_settings.hpp"

#include <catch2/catch.hpp>

namespace ordem::cluster {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("URLs of NATS are parsed into servers and one user") {
  const auto one = parse_nats_urls("nats://localhost");
  REQUIRE(one);
  CHECK(one->urls == std::vector<std::string>{"nats://localhost:4222"});
  CHECK(one->user.empty());
  CHECK_FALSE(one->uses_tls());

  const auto three =
      parse_nats_urls("tls://u:s%40cr%2Cet@a:1, tls://u:s%40cr%2Cet@b ,tls://u:s%40cr%2Cet@[::1]:65535\n");
  REQUIRE(three);
  CHECK(three->urls == std::vector<std::string>{"tls://a:1", "tls://b:4222", "tls://[::1]:65535"});
  CHECK(three->user == "u");
  CHECK(three->password == "s@cr,et");
  CHECK(three->token.empty());
  CHECK(three->uses_tls());

  const auto token = parse_nats_urls("nats://t0k%65n@127.0.0.1:4223/");
  REQUIRE(token);
  CHECK(token->urls == std::vector<std::string>{"nats://127.0.0.1:4223"});
  CHECK(token->token == "t0ken");
  CHECK(token->user.empty());
}

TEST_CASE("a URL of NATS is refused with its reason") {
  const auto [list, reason] = GENERATE(table<std::string, std::string>({
      {"", "is not a URL"},
      {"localhost", "is not a URL"},
      {"localhost:4222", "is not a URL"},
      {"nats://", "is not a URL"},
      {"nats:///", "is not a URL"},
      {"nats://:4222", "is not a URL"},
      {"nats://a,", "is not a URL"},
      {",nats://a", "is not a URL"},
      {"nats://a b", "is not a URL"},
      {"nats://u:se/cret@a", "knows no path"},
      {"nats://u:se,cret@a", "knows no path"},
      {"http://a", "nats:// or tls://"},
      {"nats://a:0", "port from 1 to 65535"},
      {"nats://a:65536", "port from 1 to 65535"},
      {"nats://a/path", "knows no path"},
      {"nats://a?x=y", "knows no path"},
      {"nats://a#x", "knows no path"},
      {"nats://:secret@a", "a user before its password"},
      {"nats://u:se%0Acret@a", "control character"},
      {"nats://a,tls://b", "same scheme"},
      {"nats://u:secret@a,nats://b", "same user"},
      {"nats://u:secret@a,nats://u:other@b", "same user"},
      {"nats://secret@a,nats://other@b", "same user"},
  }));
  CAPTURE(list);
  const auto parsed = parse_nats_urls(list);
  REQUIRE_FALSE(parsed);
  CHECK_THAT(parsed.error(), Contains(reason));
  CHECK_THAT(parsed.error(), !Contains("secret") && !Contains("cret@"));
}

TEST_CASE("at most 16 servers of NATS are taken") {
  std::string list = "nats://a1";
  for (int i = 2; i <= 16; ++i) list += ",nats://a" + std::to_string(i);
  REQUIRE(parse_nats_urls(list));
  CHECK(parse_nats_urls(list)->urls.size() == 16);
  CHECK_FALSE(parse_nats_urls(list + ",nats://a17"));
}

TEST_CASE("URLs of NATS are shown without their secrets") {
  const auto [list, shown] = GENERATE(table<std::string, std::string>({
      {"", ""},
      {"nats://a", "nats://a:4222"},
      {"nats://u:secret@a:1,nats://u:secret@b:2", "nats://***@a:1,nats://***@b:2"},
      {"tls://secret@a", "tls://***@a:4222"},
      {"nats://u:secret@a/path", "***"},
      {"nats://u:se,cret@a", "***"},
      {"u:secret@a", "***"},
  }));
  CHECK(masked_nats_urls(list) == shown);
}

TEST_CASE("settings of NATS that contradict each other are refused") {
  nats_settings settings;
  CHECK_FALSE(check_nats_settings(settings));
  settings.certificate_file = "c.pem";
  CHECK_THAT(check_nats_settings(settings).value_or(""), Contains("--nats-key"));
  settings.key_file = "k.pem";
  CHECK_FALSE(check_nats_settings(settings));
  CHECK(settings.uses_tls());
  settings.credentials_file = "node.creds";
  CHECK_FALSE(check_nats_settings(settings));
  settings.user = "u";
  CHECK_THAT(check_nats_settings(settings).value_or(""), Contains("--nats-credentials"));
}

}  // namespace
}  // namespace ordem::cluster
