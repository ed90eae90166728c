#include "app/process/server_reports.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "app/process/version.hpp"

namespace ordem::app {
namespace {

TEST_CASE("a report has the settings, the version and whether there is a Postgres") {
  const server_reports reports({{"port", "8080"}}, true);
  CHECK(reports.settings() == http_edge::setting_list{{"port", "8080"}});
  CHECK(reports.version() == version_text);
  CHECK(reports.report().has_postgres);
  CHECK_FALSE(reports.report().write_failure);
  CHECK_FALSE(reports.report().postgres_failure);
}

TEST_CASE("a write failure has the last error of the store, then the reason of the last try, and begins once") {
  server_reports reports({}, false);
  reports.begin_write_failure();
  REQUIRE(reports.report().write_failure);
  CHECK(reports.report().write_failure->reason == "a write has failed");
  reports.end_write_failure();

  reports.note_storage_error("no space");
  CHECK_FALSE(reports.report().write_failure);
  reports.begin_write_failure();
  const auto first = reports.report().write_failure;
  REQUIRE(first);
  CHECK(first->reason == "no space");
  reports.note_write_failure("still no space");
  CHECK(reports.report().write_failure == http_edge::lasting_failure{first->since, "still no space"});

  reports.end_write_failure();
  CHECK_FALSE(reports.report().write_failure);
  reports.begin_write_failure();
  CHECK(reports.report().write_failure->reason == "a write has failed");
}

TEST_CASE("a failure of Postgres lasts until it ends") {
  server_reports reports({}, true);
  reports.note_postgres_failure("refused");
  const auto first = reports.report().postgres_failure;
  REQUIRE(first);
  reports.note_postgres_failure("timeout");
  CHECK(reports.report().postgres_failure == http_edge::lasting_failure{first->since, "timeout"});
  CHECK_FALSE(reports.report().write_failure);
  reports.end_postgres_failure();
  CHECK_FALSE(reports.report().postgres_failure);
}

TEST_CASE("a report has the state of the node as of that moment") {
  server_reports reports({}, false);
  CHECK_FALSE(reports.report().cluster);
  http_edge::cluster_report now{.name = "shop", .node = "n-1", .role = "standby"};
  reports.set_cluster([&now] { return now; });
  CHECK(reports.report().cluster == now);
  now.role = "owner";
  CHECK(reports.report().cluster->role == "owner");
  reports.set_cluster({});
  CHECK_FALSE(reports.report().cluster);
}

TEST_CASE("a reason is UTF-8 and bounded") {
  server_reports reports({}, true);
  reports.note_postgres_failure(std::string(5'000, '\xff'));
  CHECK(reports.report().postgres_failure->reason.size() <= 1024);
}

}  // namespace
}  // namespace ordem::app
