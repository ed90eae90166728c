#include "app/process/file_limit.hpp"

#include <catch2/catch.hpp>

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;

std::uint64_t least_of(const http_edge::server_settings& asked) {
  std::uint64_t limit = 1;
  while (!share_files(limit, asked)) ++limit;
  return limit;
}

TEST_CASE("with a high limit of open files nothing is cut") {
  const http_edge::server_settings asked;
  const auto shares =
      share_files(GENERATE(as<std::uint64_t>{}, 20'000, 65'536, std::uint64_t{1} << 40, ~std::uint64_t{0}), asked)
          .value();
  CHECK(shares.connections == asked.connections_max);
  CHECK(shares.refused_at_once == asked.refused_at_once_max);
  CHECK(shares.store == storage::store_settings().open_files_max);
}

TEST_CASE("with a low limit of open files connections are cut, and the store has its own all the same") {
  http_edge::server_settings asked;
  const auto shares = share_files(1024, asked).value();
  CHECK(shares.connections == 569);
  CHECK(shares.refused_at_once == 81);
  CHECK(shares.store == 238);
}

TEST_CASE("fewer connections than there is room for are not cut") {
  http_edge::server_settings asked;
  asked.connections_max = 500;
  CHECK(share_files(1024, asked).value().connections == 500);
}

TEST_CASE("a limit of open files that is too low says how many are needed") {
  http_edge::server_settings asked;
  asked.io_threads = GENERATE(1U, 2U, 64U, 1024U);
  const std::uint64_t least = least_of(asked);
  CHECK_THAT(share_files(least - 1, asked).error(),
             Contains(std::to_string(least - 1)) && Contains(std::to_string(least)) && Contains("LimitNOFILE"));
}

TEST_CASE("whatever the limit of open files, the shares stay below it and every I/O thread can serve") {
  http_edge::server_settings asked;
  asked.io_threads = GENERATE(1U, 2U, 64U, 1024U);
  for (std::uint64_t limit = least_of(asked); limit < 30'000; limit += 37) {
    const auto shares = share_files(limit, asked).value();
    CHECK(shares.connections >= asked.io_threads);
    CHECK(shares.store >= 64);
    CHECK(shares.connections + shares.refused_at_once + static_cast<std::uint64_t>(shares.store) + 64 + 64 +
              4 * asked.io_threads <=
          limit);
  }
}

TEST_CASE("what is cut is what is printed at start") {
  settings given;
  given.effective = {{"port", "1"}, {"max-connections", "16384"}};
  apply({553, 79, 238}, given);
  CHECK(given.server.connections_max == 553);
  CHECK(given.server.refused_at_once_max == 79);
  CHECK(given.store.open_files_max == 238);
  CHECK(given.effective[1].second == "553");
}

}  // namespace
}  // namespace ordem::app
