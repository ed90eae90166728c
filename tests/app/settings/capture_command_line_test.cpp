// The settings of captures: a lease that may be 0, and a ttl that must not be below it.

#include <catch2/catch.hpp>

#include "app/settings/command_line.hpp"
#include "tests/app/support.hpp"

namespace ordem::app {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using testing::effective;
using testing::error_of;
using testing::parse_serve;
using testing::settings_file;
using testing::settings_of;
using testing::words;

TEST_CASE("by default the lease is 1m, the ttl 24h and the largest response 1MiB") {
  const settings result = settings_of({});
  CHECK(effective(result, "capture-lease") == "1m");
  CHECK(effective(result, "capture-ttl") == "24h");
  CHECK(effective(result, "capture-max") == "1MiB");
}

// Only a lease may be 0, and 0 needs no unit.
TEST_CASE("a lease of 0, with a unit or without, never ends and is printed as 0") {
  const auto zero = GENERATE(as<std::string>{}, "0", "0s", "0ms", "0 d");
  const settings result = settings_of({"--capture-lease", zero});
  CHECK(result.engine.captures.lease == 0ms);
  CHECK(effective(result, "capture-lease") == "0");
  CHECK(settings_of({}, {"ORDEM_CAPTURE_LEASE=" + zero}).engine.captures.lease == 0ms);
  const settings_file file("capture-lease = \"" + zero + "\"\n");
  CHECK(settings_of({"--config", file.path()}).engine.captures.lease == 0ms);
}

TEST_CASE("a lease without a unit is refused with the values that are allowed") {
  const auto lease = GENERATE(as<std::string>{}, "60", "00", "0x", "-0s", "-1s", "367d", "soon");
  CHECK_THAT(error_of({"--capture-lease=" + lease}),
             Contains("capture-lease") && Contains("0 (for ever)") && Contains("with a unit: ms, s, m, h or d"));
}

TEST_CASE("an invalid ttl or size is refused with the name of the setting") {
  const auto [name, value] = GENERATE(table<std::string, std::string>({
      {"capture-ttl", "0"},
      {"capture-ttl", "0s"},
      {"capture-ttl", "24"},
      {"capture-ttl", "367d"},
      {"capture-max", "0"},
      {"capture-max", "1023"},
      {"capture-max", "1025GiB"},
  }));
  CHECK_THAT(error_of({"--" + name + "=" + value}), Contains(name));
}

TEST_CASE("a ttl below the lease is refused with the reason") {
  const auto arguments = GENERATE(values<words>(
      {{"--capture-ttl=59999ms"}, {"--capture-lease=24h", "--capture-ttl=86399s"}, {"--capture-lease=25h"}}));
  CHECK_THAT(
      error_of(arguments),
      Contains("--capture-ttl must not be below --capture-lease: a capture would be forgotten while its lease runs"));
}

TEST_CASE("a ttl equal to the lease, or with a lease that never ends, is accepted") {
  const auto arguments = GENERATE(
      values<words>({{"--capture-ttl=60s"}, {"--capture-lease=24h"}, {"--capture-lease=0", "--capture-ttl=1ms"}}));
  CHECK(parse_serve(arguments).has_value());
}

}  // namespace
}  // namespace ordem::app
