#include "app/process/file_limit.hpp"

#include <catch2/catch.hpp>

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;

std::uint64_t least_of(const http_edge::server_settings& server) {
  std::uint64_t limit = 1;
  while (!share_files(limit, server)) ++limit;
  return limit;
}

TEST_CASE("with a high limit of open files nothing is reduced") {
  const http_edge::server_settings server;
  const auto shares =
      share_files(GENERATE(as<std::uint64_t>{}, 20'000, 65'536, std::uint64_t{1} << 40, ~std::uint64_t{0}), server)
          .value();
  CHECK(shares.connections == server.connections_max);
  CHECK(shares.refused_at_once == server.refused_at_once_max);
  CHECK(shares.store == storage::store_settings().open_files_max);
}

TEST_CASE("with a low limit of open files connections are reduced, and the store keeps its share") {
  http_edge::server_settings server;
  const auto shares = share_files(1024, server).value();
  CHECK(shares.connections == 569);
  CHECK(shares.refused_at_once == 81);
  CHECK(shares.store == 238);
}

TEST_CASE("a number of connections below the share is not reduced") {
  http_edge::server_settings server;
  server.connections_max = 500;
  CHECK(share_files(1024, server).value().connections == 500);
}

TEST_CASE("a limit of open files that is too low says how many are needed") {
  http_edge::server_settings server;
  server.io_threads = GENERATE(1U, 2U, 64U, 1024U);
  const std::uint64_t least = least_of(server);
  CHECK_THAT(share_files(least - 1, server).error(),
             Contains(std::to_string(least - 1)) && Contains(std::to_string(least)) && Contains("LimitNOFILE"));
}

TEST_CASE("whatever the limit of open files, the shares stay below it and every I/O thread can serve") {
  http_edge::server_settings server;
  server.io_threads = GENERATE(1U, 2U, 64U, 1024U);
  for (std::uint64_t limit = least_of(server); limit < 30'000; limit += 37) {
    const auto shares = share_files(limit, server).value();
    CHECK(shares.connections >= server.io_threads);
    CHECK(shares.store >= 64);
    CHECK(shares.connections + shares.refused_at_once + static_cast<std::uint64_t>(shares.store) + 64 + 64 +
              4 * server.io_threads <=
          limit);
  }
}

TEST_CASE("a reduced number of connections is printed at start") {
  settings values;
  values.effective = {{"port", "1"}, {"max-connections", "16384"}};
  apply({553, 79, 238}, values);
  CHECK(values.server.connections_max == 553);
  CHECK(values.server.refused_at_once_max == 79);
  CHECK(values.store.open_files_max == 238);
  CHECK(values.effective[1].second == "553");
}

}  // namespace
}  // namespace ordem::app
