#include "app/settings/settings.hpp"

#include <catch2/catch.hpp>

#include "engine/base/limits.hpp"

namespace ordem::app {
namespace {

TEST_CASE("the defaults do not contradict each other") {
  CHECK_FALSE(check_settings(settings{}));
}

TEST_CASE("more I/O threads than connections are a contradiction") {
  settings values;
  values.server.connections_max = 4;
  values.server.io_threads = 4;
  CHECK_FALSE(check_settings(values));
  values.server.io_threads = 5;
  CHECK(check_settings(values));
}

TEST_CASE("more shards than live orders are a contradiction") {
  settings values;
  values.engine.live_orders_max = 4;
  values.engine.shards = 4;
  CHECK_FALSE(check_settings(values));
  values.engine.shards = 5;
  CHECK(check_settings(values));
}

TEST_CASE("body memory below the largest body is a contradiction") {
  settings values;
  values.server.captured_bytes_max = std::size_t{1} << 20;
  values.server.body_memory_bytes_max = http_edge::capture_body_bytes_max(values.server);
  CHECK_FALSE(check_settings(values));
  values.server.body_memory_bytes_max -= 1;
  CHECK(check_settings(values));
  values.server.captured_bytes_max = 1024;
  CHECK_FALSE(check_settings(values));
  values.server.body_bytes_max = values.server.body_memory_bytes_max + 1;
  CHECK(check_settings(values));
}

TEST_CASE("response memory below the largest response is a contradiction") {
  settings values;
  values.server.captured_bytes_max = std::size_t{1} << 20;
  values.server.response_memory_bytes_max = http_edge::capture_body_bytes_max(values.server);
  CHECK_FALSE(check_settings(values));
  values.server.response_memory_bytes_max -= 1;
  CHECK(check_settings(values));
  values.server.captured_bytes_max = 1024;
  values.server.response_memory_bytes_max = 2 * limits::page_bytes_max;
  CHECK_FALSE(check_settings(values));
  values.server.response_memory_bytes_max -= 1;
  CHECK(check_settings(values));
}

TEST_CASE("a message ttl below a second is a contradiction") {
  settings values;
  values.engine.message_ttl = std::chrono::seconds(1);
  CHECK_FALSE(check_settings(values));
  values.engine.message_ttl -= std::chrono::milliseconds(1);
  CHECK(check_settings(values));
}

TEST_CASE("a capture ttl below the lease is a contradiction") {
  settings values;
  values.engine.captures = {std::chrono::seconds(10), std::chrono::seconds(10)};
  CHECK_FALSE(check_settings(values));
  values.engine.captures.ttl -= std::chrono::milliseconds(1);
  CHECK(check_settings(values));
  values.engine.captures.lease = std::chrono::milliseconds(0);  // for ever, and such an allocation is kept for ever
  CHECK_FALSE(check_settings(values));
}

TEST_CASE("durability postgres without a Postgres URL is a contradiction") {
  settings values;
  values.store.durability = storage::durability::postgres;
  const auto conflict = check_settings(values);
  REQUIRE(conflict);
  CHECK(conflict->find("--postgres-url") != std::string::npos);
  values.postgres_url = "postgres://h/d";
  CHECK_FALSE(check_settings(values));
  values.store.durability = storage::durability::fsync;
  CHECK_FALSE(check_settings(values));
  values.postgres_url.clear();
  CHECK_FALSE(check_settings(values));
}

TEST_CASE("a server that other machines reach needs identities, unless it is said that it does not") {
  const auto [address, is_reached] = GENERATE(table<std::string, bool>({{"127.0.0.1", false},
                                                                        {"127.8.9.10", false},
                                                                        {"::1", false},
                                                                        {"::ffff:127.0.0.1", false},
                                                                        {"0.0.0.0", true},
                                                                        {"::", true},
                                                                        {"10.0.0.1", true},
                                                                        {"fe80::1", true},
                                                                        {"::ffff:10.0.0.1", true}}));
  CAPTURE(address);
  settings values;
  values.server.address = address;
  const auto conflict = check_settings(values);
  CHECK(conflict.has_value() == is_reached);
  CHECK(open_address(values).has_value() == is_reached);
  if (conflict) {
    for (const auto* const named : {"--keys", "--jwks", "127.0.0.1", "--auth none"}) {
      CHECK(conflict->find(named) != std::string::npos);
    }
    CHECK(conflict->find('\n') == std::string::npos);
  }
  values.auth = auth_policy::none;
  CHECK_FALSE(check_settings(values));
  CHECK(open_address(values).has_value() == is_reached);
  values.auth = auth_policy::automatic;
  values.identities.keys_file = "keys";
  CHECK_FALSE(check_settings(values));
  CHECK_FALSE(open_address(values));
}

TEST_CASE("the setting auth agrees with the identities that are given") {
  settings values;
  values.auth = auth_policy::required;
  CHECK(check_settings(values));
  values.identities.keys_file = "keys";
  CHECK_FALSE(check_settings(values));
  values.auth = auth_policy::none;
  CHECK(check_settings(values));
}

TEST_CASE("a key set without issuer and audience is a contradiction, and the other way round") {
  const auto check = [](const std::string& set, const std::string& issuer, const std::string& audience) {
    settings values;
    values.identities.key_set = set;
    values.identities.tokens.issuer = issuer;
    values.identities.tokens.audience = audience;
    return check_settings(values);
  };
  CHECK_FALSE(check("", "", ""));
  CHECK_FALSE(check("keys.json", "i", "a"));
  CHECK_FALSE(check("https://i.example/keys", "i", "a"));
  CHECK(check("keys.json", "i", ""));
  CHECK(check("keys.json", "", "a"));
  CHECK(check("", "i", ""));
  CHECK(check("", "", "a"));
  for (const auto* const url : {"http://i.example/keys", "HTTPS://i.example/keys", "file:///keys"}) {
    const auto error = check(url, "i", "a");
    REQUIRE(error);
    CHECK_THAT(*error, Catch::Contains("https URL"));
  }
}

TEST_CASE("back-ups are made at an absolute path outside of the data folder") {
  settings values;
  values.store.folder = "/var/lib/ordem";
  for (const char* root : {"", "/backups", "/var/lib", "/var/lib/ordem-backups", "/"}) {
    CAPTURE(root);
    values.backup_root = root;
    CHECK_FALSE(check_settings(values));
  }
  for (const char* root : {"backups", "./backups", "/var/lib/ordem", "/var/lib/ordem/", "/var/lib/ordem/backups",
                           "/var/../var/lib/./ordem/db"}) {
    CAPTURE(root);
    values.backup_root = root;
    CHECK(check_settings(values));
  }
}

}  // namespace
}  // namespace ordem::app
