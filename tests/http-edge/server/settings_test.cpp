#include "http-edge/server/settings.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace ordem::http_edge {
namespace {

TEST_CASE("there is a listener for each port that is set") {
  server_settings settings;
  CHECK(endpoints_of(settings).size() == 1);
  settings.captures_port = 0;
  settings.operations_port = 9090;
  const auto endpoints = endpoints_of(settings);
  REQUIRE(endpoints.size() == 3);
  CHECK(endpoints[0].kind == listener_kind::main);
  CHECK(endpoints[0].port == 8080);
  CHECK(endpoints[1].kind == listener_kind::operations);
  CHECK(endpoints[1].port == 9090);
  CHECK(endpoints[2].kind == listener_kind::captures);
}

TEST_CASE("which listeners use TLS") {
  const auto [kind, address, expected] = GENERATE(table<listener_kind, std::string, bool>({
      {listener_kind::main, "127.0.0.1", true},
      {listener_kind::main, "0.0.0.0", true},
      {listener_kind::captures, "127.0.0.1", true},
      {listener_kind::captures, "10.0.0.1", true},
      {listener_kind::operations, "127.0.0.1", false},
      {listener_kind::operations, "127.9.9.9", false},
      {listener_kind::operations, "::1", false},
      {listener_kind::operations, "::", true},
      {listener_kind::operations, "10.0.0.1", true},
  }));
  CAPTURE(kind, address);
  server_settings settings;
  CHECK_FALSE(uses_tls(settings, {kind, address, 1}));
  settings.tls.certificate_file = "server.pem";
  CHECK(uses_tls(settings, {kind, address, 1}) == expected);
}

}  // namespace
}  // namespace ordem::http_edge
