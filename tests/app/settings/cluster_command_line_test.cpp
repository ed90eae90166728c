// The command lines of clusters.
#include <catch2/catch.hpp>
#include <string>
#include <variant>

#include "app/settings/command_line.hpp"
#include "tests/app/support.hpp"

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;
using testing::words;

template <class Command>
Command command_of(const words& arguments, const words& environment = {}) {
  const auto parsed = parse_command_line(arguments, environment);
  if (!parsed) FAIL(parsed.error().text);
  return std::get<Command>(*parsed);
}

std::string error_of_command(const words& arguments, const words& environment = {}) {
  const auto parsed = parse_command_line(arguments, environment);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().exit_code == 2);
  return parsed.error().text;
}

TEST_CASE("a new cluster has three replicas if nothing else is said") {
  const auto plain = command_of<cluster_init_command>({"cluster", "init", "--cluster=shop", "--nats=nats://a"});
  CHECK(plain.at.name == "shop");
  CHECK(plain.at.nats.urls == std::vector<std::string>{"nats://a:4222"});
  CHECK(plain.replicas == 3);
  CHECK(plain.bytes_max == std::size_t{16} << 30);

  const auto all = command_of<cluster_init_command>(
      {"cluster", "init", "--cluster=shop", "--nats=tls://a:1,tls://b:2", "--nats-credentials=x.creds",
       "--nats-ca=ca.pem", "--nats-certificate=c.pem", "--nats-key=k.pem", "--replicas=5", "--max-bytes=1GiB"});
  CHECK(all.at.nats.urls == std::vector<std::string>{"tls://a:1", "tls://b:2"});
  CHECK(all.at.nats.credentials_file == "x.creds");
  CHECK(all.at.nats.ca_file == "ca.pem");
  CHECK(all.at.nats.certificate_file == "c.pem");
  CHECK(all.at.nats.key_file == "k.pem");
  CHECK(all.replicas == 5);
  CHECK(all.bytes_max == std::size_t{1} << 30);
}

TEST_CASE("a cluster is found in the environment, beside the settings of a server") {
  const auto status = command_of<cluster_status_command>(
      {"cluster", "status", "--json"},
      {"ORDEM_CLUSTER=shop", "ORDEM_NATS=nats://u:secret@a", "ORDEM_NATS_CA=ca.pem", "ORDEM_PORT=8081"});
  CHECK(status.json);
  CHECK(status.at.name == "shop");
  CHECK(status.at.nats.user == "u");
  CHECK(status.at.nats.password == "secret");
  CHECK(status.at.nats.ca_file == "ca.pem");
  CHECK_THAT(error_of_command({"cluster", "status"}, {"ORDEM_NATS_URL=nats://a"}), Contains("ORDEM_NATS_URL"));
}

TEST_CASE("the log is moved to a node, or to any") {
  CHECK(command_of<cluster_move_command>({"cluster", "move", "--cluster=a", "--nats=nats://a"}).to.empty());
  CHECK(command_of<cluster_move_command>({"cluster", "move", "--cluster=a", "--nats=nats://a", "--to=orders-2"}).to ==
        "orders-2");
  CHECK_THAT(error_of_command({"cluster", "move", "--cluster=a", "--nats=nats://a", "--to=a b"}), Contains("letters"));
  CHECK_THAT(error_of_command({"cluster", "move", "--cluster=a", "--nats=nats://a", "--to="}), Contains("empty"));
}

TEST_CASE("a cluster that cannot be is refused") {
  CHECK_THAT(error_of_command({"cluster"}), Contains("subcommand"));
  CHECK_THAT(error_of_command({"cluster", "init", "--nats=nats://a"}), Contains("--cluster"));
  CHECK_THAT(error_of_command({"cluster", "init", "--cluster=a"}), Contains("--nats"));
  CHECK_THAT(error_of_command({"cluster", "init", "--cluster=a.b", "--nats=nats://a"}), Contains("a to z"));
  CHECK_THAT(error_of_command({"cluster", "init", "--cluster=a", "--nats=nats://a", "--replicas=6"}), Contains("6"));
  CHECK_THAT(error_of_command({"cluster", "init", "--cluster=a", "--nats=nats://a", "--max-bytes=1MiB"}),
             Contains("64MiB"));
  CHECK_THAT(error_of_command({"cluster", "status", "--cluster=a", "--nats=nats://a", "--nats-key=k"}),
             Contains("--nats-certificate"));
}

TEST_CASE("no error shows a password or a token of NATS") {
  const auto url =
      GENERATE(as<std::string>{}, "nats://u:secret@a/x", "nats://secret@a/x", "nats://u:secret@a,nats://b");
  CHECK_THAT(error_of_command({"cluster", "status", "--cluster=a", "--nats=" + url}), !Contains("secret"));
  CHECK_THAT(error_of_command({"cluster", "status", "--cluster=a"}, {"ORDEM_NATS=" + url}), !Contains("secret"));
  CHECK_THAT(error_of_command({"cluster", "status", "--cluster=a", "--natz=" + url}), !Contains("secret"));
  CHECK_THAT(error_of_command({"cluster", "status", "--cluster=a", url}), !Contains("secret"));
  CHECK_THAT(error_of_command({"cluster", "init", "--cluster=a", "--replicas=" + url}), !Contains("secret"));
}

}  // namespace
}  // namespace ordem::app
