// What /-/state and /-/settings say, through the handler.
#include "http-edge/operations/report_rendering.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/http-edge/exchange.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

class fake_reports final : public report_port {
 public:
  server_report now;
  setting_list values;

  server_report report() const override { return now; }
  std::string_view version() const noexcept override { return "1.2.3"; }
  const setting_list& settings() const noexcept override { return values; }
};

struct report_exchange : exchange {
  fake_reports reports;
  explicit report_exchange(service_state state = service_state::ready) : exchange(state) { context.reports = &reports; }
};

TEST_CASE("/-/state says what fails, since when and why") {
  const std::string time = to_rfc3339(sample_time);
  const std::string begin = R"("version":"1.2.3","started_at":")" + time + "\",";
  report_exchange with_server(service_state::read_only);
  with_server.reports.now.started_at = sample_time;
  CHECK(with_server.get("/-/state").body ==
        R"({"status":"read-only",)" + begin + R"("write_failure":null,"postgres":null,"cluster":null})");

  with_server.reports.now.write_failure = {sample_time, "the disk is \"full\""};
  with_server.reports.now.has_postgres = true;
  CHECK(with_server.get("/-/state").body ==
        R"({"status":"read-only",)" + begin + R"("write_failure":{"since":")" + time +
            R"(","reason":"the disk is \"full\""},"postgres":{"failure":null},"cluster":null})");
  with_server.reports.now.write_failure.reset();
  with_server.reports.now.postgres_failure = {sample_time, "no route"};
  CHECK(with_server.get("/-/state").body == R"({"status":"read-only",)" + begin +
                                                R"("write_failure":null,"postgres":{"failure":{"since":")" + time +
                                                R"(","reason":"no route"}},"cluster":null})");
}

TEST_CASE("/-/state says who owns the log of a cluster, and how far this node is") {
  report_exchange with_server;
  with_server.reports.now.cluster = cluster_report{.name = "shop",
                                                   .node = "n-2",
                                                   .role = "standby",
                                                   .epoch = 7,
                                                   .owner = "n-1",
                                                   .owner_address = "n-1:8080",
                                                   .sequence = 112,
                                                   .applied = {90},
                                                   .is_connected = true};
  CHECK_THAT(
      with_server.get("/-/state").body,
      Catch::Contains(
          R"("cluster":{"name":"shop","node":"n-2","role":"standby","epoch":7,"owner":"n-1","owner_address":"n-1:8080",)"
          R"("sequence":112,"position":90,"connected":true,"stopped":null})"));
  with_server.reports.now.cluster = cluster_report{.name = "shop",
                                                   .node = "n-2",
                                                   .role = "stopped",
                                                   .epoch = 7,
                                                   .sequence = 112,
                                                   .applied = {90},
                                                   .is_connected = false,
                                                   .stopped_because = "the log \"lost\" records"};
  CHECK_THAT(
      with_server.get("/-/state").body,
      Catch::Contains(
          R"("cluster":{"name":"shop","node":"n-2","role":"stopped","epoch":7,"owner":null,"owner_address":null,)"
          R"("sequence":112,"position":90,"connected":false,"stopped":"the log \"lost\" records"})"));
}

TEST_CASE("the state and the settings can be read in every state of the server") {
  for (const auto& [state, name] :
       {std::pair(service_state::recovering, "recovering"), std::pair(service_state::ready, "ready"),
        std::pair(service_state::no_owner, "no-owner"), std::pair(service_state::read_only, "read-only"),
        std::pair(service_state::draining, "draining")}) {
    report_exchange with_server(state);
    CHECK(member_of(with_server.get("/-/state").body, "status") == '"' + std::string(name) + '"');
    CHECK(with_server.get("/-/state").status == 200);
    CHECK(with_server.get("/-/settings").status == 200);
  }
}

TEST_CASE("/-/settings has the version, and every setting in its order") {
  report_exchange with_server;
  CHECK(with_server.get("/-/settings").body == R"({"version":"1.2.3","settings":[]})");
  with_server.reports.values = {{"port", "8080"}, {"data-dir", "a \"b\""}};
  CHECK(with_server.get("/-/settings").body ==
        R"({"version":"1.2.3","settings":[{"name":"port","value":"8080"},{"name":"data-dir","value":"a \"b\""}]})");
}

}  // namespace
}  // namespace ordem::http_edge
