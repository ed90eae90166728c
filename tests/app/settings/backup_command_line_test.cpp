// The command lines of back-ups.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <variant>

#include "app/settings/command_line.hpp"
#include "tests/app/support.hpp"

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;
using testing::words;

backup_command backup_of(const words& arguments) {
  const auto parsed = parse_command_line(arguments, {});
  if (!parsed) FAIL(parsed.error().text);
  return std::get<backup_command>(*parsed);
}

TEST_CASE("a back-up goes to the server on this machine if nothing else is said") {
  const backup_command plain = backup_of({"backup", "--to", "monday"});
  CHECK(plain.to == "monday");
  CHECK(plain.url == "http://127.0.0.1:8080");
  CHECK(plain.api_key_file.empty());
  CHECK(plain.ca_file.empty());

  const backup_command all = backup_of(
      {"backup", "--to=/backups/a", "--url=https://ordem.example:8081/", "--api-key-file=key", "--ca-file=ca.pem"});
  CHECK(all.to == "/backups/a");
  CHECK(all.url == "https://ordem.example:8081");
  CHECK(all.api_key_file == "key");
  CHECK(all.ca_file == "ca.pem");
}

TEST_CASE("a path to a back-up is made absolute, and a name is left as it is") {
  CHECK(backup_of({"backup", "--to=./a/../b"}).to == (std::filesystem::current_path() / "b").string());
  CHECK(backup_of({"backup", "--to=b"}).to == "b");
}

TEST_CASE("an API key goes by https, or stays on the machine") {
  for (const char* url : {"http://127.0.0.1:1", "http://[::1]:1", "http://localhost", "https://ordem.example"}) {
    CAPTURE(url);
    CHECK(backup_of({"backup", "--to=a", "--api-key-file=key", std::string("--url=") + url}).url == url);
  }
  for (const char* url : {"http://ordem.example", "http://10.0.0.1:8081", "http://localhost.example"}) {
    CAPTURE(url);
    const auto parsed = parse_command_line({"backup", "--to=a", "--api-key-file=key", std::string("--url=") + url}, {});
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().exit_code == 2);
    CHECK_THAT(parsed.error().text, Contains("https"));
    CHECK(backup_of({"backup", "--to=a", std::string("--url=") + url}).url == url);
  }
}

TEST_CASE("a back-up is checked by its folder") {
  const auto parsed = parse_command_line({"backup", "verify", "folder"}, {});
  REQUIRE(parsed);
  CHECK(std::get<verify_backup_command>(*parsed).folder == "folder");
}

TEST_CASE("a back-up without its folder, or with a wrong URL, is refused") {
  const auto arguments = GENERATE(values<words>({{"backup"},
                                                 {"backup", "verify"},
                                                 {"backup", "--to="},
                                                 {"backup", "--to=a", "--url=ordem.example"},
                                                 {"backup", "check"},
                                                 {"backup", "--to=a", "b"}}));
  const auto parsed = parse_command_line(arguments, {});
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().exit_code == 2);
}

}  // namespace
}  // namespace ordem::app
