// How `ordem ready` finds the server: from the settings of the server.

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

// Returns the address and port that ready asks, as address:port, or the error.
std::string target(const words& arguments, const words& environment = {}) {
  const auto parsed = parse_ready(arguments, environment);
  if (!parsed) return parsed.error().text;
  const auto& found = std::get<ready_command>(*parsed);
  return found.address + ":" + std::to_string(found.port);
}

TEST_CASE("by default ready asks the address and port that serve listens on") {
  CHECK(target({}) == "127.0.0.1:8080");
}

TEST_CASE("for ready, arguments override the environment, which overrides the file") {
  const settings_file file("address = \"::1\"\nport = 1\n");
  CHECK(target({"--config", file.path()}) == "::1:1");
  CHECK(target({}, {"ORDEM_CONFIG=" + file.path()}) == "::1:1");
  CHECK(target({}, {"ORDEM_CONFIG=" + file.path(), "ORDEM_PORT=2"}) == "::1:2");
  CHECK(target({"--port", "3"}, {"ORDEM_CONFIG=" + file.path(), "ORDEM_PORT=2"}) == "::1:3");
  CHECK(target({"--address=0.0.0.0"}, {"ORDEM_ADDRESS=::1"}) == "0.0.0.0:8080");
}

TEST_CASE("ready uses TLS if the server has a certificate") {
  const auto uses_tls = [](const words& arguments, const words& environment) {
    return std::get<ready_command>(parse_ready(arguments, environment).value()).uses_tls;
  };
  const settings_file file("tls-certificate = \"server.pem\"\ntls-key = \"server.key\"\n");
  CHECK_FALSE(uses_tls({}, {}));
  CHECK(uses_tls({"--tls-certificate=server.pem"}, {}));
  CHECK(uses_tls({}, {"ORDEM_TLS_CERTIFICATE=server.pem", "ORDEM_TLS_KEY=server.key"}));
  CHECK(uses_tls({"--config", file.path()}, {}));
}

TEST_CASE("ready asks about writes, or about reads") {
  CHECK_FALSE(std::get<ready_command>(parse_ready({}, {}).value()).reads);
  CHECK(std::get<ready_command>(parse_ready({"--reads", "--port=1"}, {}).value()).reads);
}

TEST_CASE("ready ignores all settings but address and port") {
  const settings_file file("message-ttl = \"48h\"\npostgres-url = \"postgres://h/d\"\nport = 1\n");
  CHECK(target({}, {"ORDEM_CONFIG=" + file.path(), "ORDEM_DATA_DIR=/nowhere", "ORDEM_LOG_LEVEL=debug"}) ==
        "127.0.0.1:1");
}

TEST_CASE("ready refuses settings unknown to serve, and port 0") {
  const settings_file file("colour = \"red\"\n");
  CHECK_THAT(target({}, {"ORDEM_COLOUR=red"}), Contains("ORDEM_COLOUR"));
  CHECK_THAT(target({"--config", file.path()}), Contains("colour"));
  CHECK_THAT(target({"--address=nowhere"}), Contains("not an IP address"));
  CHECK_THAT(target({"--port=0"}), Contains("--port"));
  CHECK_THAT(target({"--data-dir=data"}), Contains("--data-dir"));
}

}  // namespace
}  // namespace ordem::app
