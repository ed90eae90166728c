// How `ordem ready` finds the server: by the settings that the server was given.

#include <catch2/catch.hpp>

#include "tests/app/support.hpp"

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;
using testing::settings_file;
using testing::words;

auto parse_ready(words arguments, const words& environment) {
  arguments.insert(arguments.begin(), "ready");
  return parse_command_line(arguments, environment);
}

// Where it asks, as address:port.
std::string asked(const words& arguments, const words& environment = {}) {
  const auto parsed = parse_ready(arguments, environment);
  if (!parsed) return parsed.error().text;
  const auto& found = std::get<ready_command>(*parsed);
  return found.address + ":" + std::to_string(found.port);
}

TEST_CASE("ready asks where serve listens by default") {
  CHECK(asked({}) == "127.0.0.1:8080");
}

TEST_CASE("ready takes address and port from a file, the environment and arguments, the last of them first") {
  const settings_file file("address = \"::1\"\nport = 1\n");
  CHECK(asked({"--config", file.path()}) == "::1:1");
  CHECK(asked({}, {"ORDEM_CONFIG=" + file.path()}) == "::1:1");
  CHECK(asked({}, {"ORDEM_CONFIG=" + file.path(), "ORDEM_PORT=2"}) == "::1:2");
  CHECK(asked({"--port", "3"}, {"ORDEM_CONFIG=" + file.path(), "ORDEM_PORT=2"}) == "::1:3");
  CHECK(asked({"--address=0.0.0.0"}, {"ORDEM_ADDRESS=::1"}) == "0.0.0.0:8080");
}

TEST_CASE("ready asks for writes, or for reads alone") {
  CHECK_FALSE(std::get<ready_command>(parse_ready({}, {}).value()).reads);
  CHECK(std::get<ready_command>(parse_ready({"--reads", "--port=1"}, {}).value()).reads);
}

TEST_CASE("ready passes over the settings that do not say where the server is") {
  const settings_file file("message-ttl = \"48h\"\npostgres-url = \"postgres://h/d\"\nport = 1\n");
  CHECK(asked({}, {"ORDEM_CONFIG=" + file.path(), "ORDEM_DATA_DIR=/nowhere", "ORDEM_LOG_LEVEL=debug"}) ==
        "127.0.0.1:1");
}

TEST_CASE("ready refuses what serve would not know, and a port that nobody can ask") {
  const settings_file file("colour = \"red\"\n");
  CHECK_THAT(asked({}, {"ORDEM_COLOUR=red"}), Contains("ORDEM_COLOUR"));
  CHECK_THAT(asked({"--config", file.path()}), Contains("colour"));
  CHECK_THAT(asked({"--address=nowhere"}), Contains("not an IP address"));
  CHECK_THAT(asked({"--port=0"}), Contains("--port"));
  CHECK_THAT(asked({"--data-dir=data"}), Contains("--data-dir"));
}

}  // namespace
}  // namespace ordem::app
