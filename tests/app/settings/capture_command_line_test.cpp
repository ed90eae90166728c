// The settings of captures: a lease that may be 0, and a time to keep that may not be below it.

#include <catch2/catch.hpp>

#include "app/settings/command_line.hpp"
#include "tests/app/support.hpp"

namespace ordem::app {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using testing::complaint_about;
using testing::effective;
using testing::parse_serve;
using testing::settings_file;
using testing::settings_of;
using testing::words;

TEST_CASE("by default a lease is a minute, a capture is kept for a day and takes 1 MiB") {
  const settings given = settings_of({});
  CHECK(effective(given, "capture-lease") == "1m");
  CHECK(effective(given, "capture-ttl") == "24h");
  CHECK(effective(given, "capture-max") == "1MiB");
}

// A lease alone may be 0, so it alone may lack a unit.
TEST_CASE("a lease of 0 is for ever, with a unit or without, and is shown as 0") {
  const auto zero = GENERATE(as<std::string>{}, "0", "0s", "0ms", "0 d");
  const settings given = settings_of({"--capture-lease", zero});
  CHECK(given.engine.captures.lease == 0ms);
  CHECK(effective(given, "capture-lease") == "0");
  CHECK(settings_of({}, {"ORDEM_CAPTURE_LEASE=" + zero}).engine.captures.lease == 0ms);
  const settings_file file("capture-lease = \"" + zero + "\"\n");
  CHECK(settings_of({"--config", file.path()}).engine.captures.lease == 0ms);
}

TEST_CASE("a lease without a unit is refused, and what may be given is told") {
  const auto lease = GENERATE(as<std::string>{}, "60", "00", "0x", "-0s", "-1s", "367d", "soon");
  CHECK_THAT(complaint_about({"--capture-lease=" + lease}),
             Contains("capture-lease") && Contains("0 (for ever)") && Contains("with a unit: ms, s, m, h or d"));
}

TEST_CASE("a bad time to keep or a bad size is refused, and its setting is named") {
  const auto [name, value] = GENERATE(table<std::string, std::string>({
      {"capture-ttl", "0"},
      {"capture-ttl", "0s"},
      {"capture-ttl", "24"},
      {"capture-ttl", "367d"},
      {"capture-max", "0"},
      {"capture-max", "1023"},
      {"capture-max", "1025GiB"},
  }));
  CHECK_THAT(complaint_about({"--" + name + "=" + value}), Contains(name));
}

TEST_CASE("a time to keep below the lease is refused, and why is told") {
  const auto arguments = GENERATE(values<words>(
      {{"--capture-ttl=59999ms"}, {"--capture-lease=24h", "--capture-ttl=86399s"}, {"--capture-lease=25h"}}));
  CHECK_THAT(
      complaint_about(arguments),
      Contains("--capture-ttl must not be below --capture-lease: a capture would be forgotten while its lease runs"));
}

TEST_CASE("a time to keep at the lease, or beside a lease for ever, is fine") {
  const auto arguments = GENERATE(
      values<words>({{"--capture-ttl=60s"}, {"--capture-lease=24h"}, {"--capture-lease=0", "--capture-ttl=1ms"}}));
  CHECK(parse_serve(arguments).has_value());
}

}  // namespace
}  // namespace ordem::app
