#include "app/settings/settings.hpp"

#include <catch2/catch.hpp>

#include "engine/base/limits.hpp"

namespace ordem::app {
namespace {

TEST_CASE("the defaults do not contradict each other") {
  CHECK_FALSE(check_settings(settings{}));
}

TEST_CASE("more threads for connections than connections are a contradiction") {
  settings given;
  given.server.connections_max = 4;
  given.server.io_threads = 4;
  CHECK_FALSE(check_settings(given));
  given.server.io_threads = 5;
  CHECK(check_settings(given));
}

TEST_CASE("more shards than live orders are a contradiction") {
  settings given;
  given.engine.live_orders_max = 4;
  given.engine.shards = 4;
  CHECK_FALSE(check_settings(given));
  given.engine.shards = 5;
  CHECK(check_settings(given));
}

TEST_CASE("memory for bodies that one body does not fit into is a contradiction") {
  settings given;
  given.server.captured_bytes_max = std::size_t{1} << 20;
  given.server.body_memory_bytes_max = http_edge::capture_body_bytes_max(given.server);
  CHECK_FALSE(check_settings(given));
  given.server.body_memory_bytes_max -= 1;
  CHECK(check_settings(given));
  given.server.captured_bytes_max = 1024;
  CHECK_FALSE(check_settings(given));
  given.server.body_bytes_max = given.server.body_memory_bytes_max + 1;
  CHECK(check_settings(given));
}

TEST_CASE("memory for answers that one answer does not fit into is a contradiction") {
  settings given;
  given.server.captured_bytes_max = std::size_t{1} << 20;
  given.server.response_memory_bytes_max = http_edge::capture_body_bytes_max(given.server);
  CHECK_FALSE(check_settings(given));
  given.server.response_memory_bytes_max -= 1;
  CHECK(check_settings(given));
  given.server.captured_bytes_max = 1024;
  given.server.response_memory_bytes_max = 2 * limits::page_bytes_max;
  CHECK_FALSE(check_settings(given));
  given.server.response_memory_bytes_max -= 1;
  CHECK(check_settings(given));
}

TEST_CASE("a GUID that is forgotten before its client can repeat it is a contradiction") {
  settings given;
  given.engine.message_ttl = std::chrono::seconds(1);
  CHECK_FALSE(check_settings(given));
  given.engine.message_ttl -= std::chrono::milliseconds(1);
  CHECK(check_settings(given));
}

TEST_CASE("a capture that is forgotten while its lease runs is a contradiction") {
  settings given;
  given.engine.captures = {std::chrono::seconds(10), std::chrono::seconds(10)};
  CHECK_FALSE(check_settings(given));
  given.engine.captures.ttl -= std::chrono::milliseconds(1);
  CHECK(check_settings(given));
  given.engine.captures.lease = std::chrono::milliseconds(0);  // for ever, and such an allocation is kept for ever
  CHECK_FALSE(check_settings(given));
}

TEST_CASE("answers that wait for a Postgres that is not named are a contradiction") {
  settings given;
  given.store.durability = storage::durability::postgres;
  const auto conflict = check_settings(given);
  REQUIRE(conflict);
  CHECK(conflict->find("--postgres-url") != std::string::npos);
  given.postgres_url = "postgres://h/d";
  CHECK_FALSE(check_settings(given));
  given.store.durability = storage::durability::fsync;
  CHECK_FALSE(check_settings(given));
  given.postgres_url.clear();
  CHECK_FALSE(check_settings(given));
}

}  // namespace
}  // namespace ordem::app
