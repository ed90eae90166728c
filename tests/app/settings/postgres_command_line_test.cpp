// Postgres on the command line: the settings of serve, and the commands restore and verify.

#include <catch2/catch.hpp>
#include <cstdint>

#include "tests/app/support.hpp"

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;
using testing::effective;
using testing::error_of;
using testing::parse_serve;
using testing::settings_file;
using testing::settings_of;
using testing::words;

const std::string some_url = "postgres://u:seCret@h/d";

// --- serve ---

TEST_CASE("serve reads a Postgres URL from an argument, the environment and a file") {
  const settings_file file("postgres-url = \"postgres://u:seCret@file/d\"\n");
  CHECK(settings_of({"--postgres-url=" + some_url}).postgres_url == some_url);
  CHECK(settings_of({"--postgres-url", some_url}).postgres_url == some_url);
  CHECK(settings_of({}, {"ORDEM_POSTGRES_URL=" + some_url}).postgres_url == some_url);
  CHECK(settings_of({"--config", file.path()}).postgres_url == "postgres://u:seCret@file/d");
  CHECK(settings_of({"--config", file.path()}, {"ORDEM_POSTGRES_URL=" + some_url}).postgres_url == some_url);
  CHECK(settings_of({"--postgres-url=host=h"}, {"ORDEM_POSTGRES_URL=" + some_url}).postgres_url == "host=h");
}

TEST_CASE("by default the log is not replicated") {
  CHECK(settings_of({}).postgres_url.empty());
  CHECK(effective(settings_of({}), "postgres-url").empty());
  CHECK(settings_of({}, {"ORDEM_POSTGRES_URL="}).postgres_url.empty());
  // An empty argument is a mistake, not a way to turn it off.
  CHECK_THAT(error_of({"--postgres-url="}), Contains("--postgres-url"));
}

TEST_CASE("the listed settings show a Postgres URL without its password") {
  CHECK(effective(settings_of({"--postgres-url=" + some_url}), "postgres-url") ==
        "user=u password=*** dbname=d host=h");
  CHECK(effective(settings_of({}, {"ORDEM_POSTGRES_URL=host=h password=seCret"}), "postgres-url") ==
        "password=*** host=h");
  const settings result = settings_of({"--postgres-url=" + some_url});
  for (const auto& [name, value] : result.effective) CHECK_THAT(value, !Contains("seCret"));
}

TEST_CASE("serve refuses a Postgres URL that libpq does not understand, without quoting it") {
  const auto url =
      GENERATE(as<std::string>{}, "seCret", "mysql://u:seCret@h/d", "postgres://u:seCret", "colour=seCret");
  const settings_file file("postgres-url = \"" + url + "\"\n");
  for (const std::string& error : {error_of({"--postgres-url=" + url}), error_of({}, {"ORDEM_POSTGRES_URL=" + url}),
                                   error_of({"--config", file.path()})}) {
    CHECK_THAT(error, Contains("--postgres-url") && !Contains("secret", Catch::CaseSensitive::No));
  }
}

TEST_CASE("no error of serve contains the password of a URL in the environment or in a file") {
  const std::string name = GENERATE("port", "message-ttl", "max-body", "durability", "address", "log-level");
  const settings_file file(name + " = \"" + some_url + "\"\n");
  std::string variable = "ORDEM_" + name;
  for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const std::string& error : {error_of({}, {variable + "=" + some_url}), error_of({"--config", file.path()})}) {
    CHECK_THAT(error, Contains(name) && !Contains("secret", Catch::CaseSensitive::No));
  }
}

TEST_CASE("the backlog limit has a unit") {
  const auto [text, bytes, shown] = GENERATE(table<std::string, std::uint64_t, std::string>({
      {"1KiB", 1024, "1KiB"},
      {"64KiB", 65536, "64KiB"},
      {"1536", 1536, "1536B"},
      {"1024GiB", std::uint64_t{1} << 40, "1024GiB"},
  }));
  for (const settings& result :
       {settings_of({"--persist-backlog-max=" + text}), settings_of({}, {"ORDEM_PERSIST_BACKLOG_MAX=" + text})}) {
    CHECK(result.engine.consumer.backlog_bytes_max == bytes);
    CHECK_THAT(effective(result, "persist-backlog-max"), Catch::Equals(shown));
  }
}

TEST_CASE("by default the backlog limit is 10 GiB") {
  const settings result = settings_of({});
  CHECK(result.engine.consumer.backlog_bytes_max == std::uint64_t{10} << 30);
  CHECK(effective(result, "persist-backlog-max") == "10GiB");
}

TEST_CASE("serve refuses an invalid backlog limit with its name") {
  const auto text = GENERATE(as<std::string>{}, "0", "1023", "1025GiB", "-1", "much", "1d");
  CHECK_THAT(error_of({"--persist-backlog-max="}), Contains("persist-backlog-max"));
  CHECK_THAT(error_of({"--persist-backlog-max=" + text}), Contains("persist-backlog-max"));
  CHECK_THAT(error_of({}, {"ORDEM_PERSIST_BACKLOG_MAX=" + text}), Contains("persist-backlog-max"));
}

TEST_CASE("white space around a Postgres URL is ignored") {
  const settings_file file("postgres-url = \"" + some_url + " \"\n");
  for (const settings& result :
       {settings_of({"--postgres-url=" + some_url + "\n"}),
        settings_of({}, {"ORDEM_POSTGRES_URL=" + some_url + " \r\n"}), settings_of({"--config", file.path()})}) {
    CHECK(result.postgres_url == some_url);
    CHECK(effective(result, "postgres-url") == "user=u password=*** dbname=d host=h");
  }
  CHECK_THAT(error_of({}, {"ORDEM_POSTGRES_URL=\n"}), Contains("--postgres-url"));
}

TEST_CASE("durability postgres needs a Postgres URL") {
  const std::string error = error_of({"--durability=postgres"});
  CHECK_THAT(error, Contains("--durability=postgres") && Contains("--postgres-url"));
  const settings result = settings_of({"--durability=postgres"}, {"ORDEM_POSTGRES_URL=" + some_url});
  CHECK(result.store.durability == storage::durability::postgres);
  CHECK(effective(result, "durability") == "postgres");
}

TEST_CASE("a Postgres URL does not change the durability") {
  CHECK(settings_of({"--postgres-url=" + some_url}).store.durability == storage::durability::fsync);
  CHECK(settings_of({"--postgres-url=" + some_url, "--durability=os"}).store.durability == storage::durability::os);
}

TEST_CASE("the help of serve does not show the URL") {
  for (const auto& parsed : {parse_serve({"--postgres-url=" + some_url, "--help"}),
                             parse_serve({"--help"}, {"ORDEM_POSTGRES_URL=" + some_url})}) {
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().exit_code == 0);
    CHECK_THAT(parsed.error().text, Contains("--postgres-url") && !Contains("secret", Catch::CaseSensitive::No));
  }
}

// --- restore and verify ---

// restore and verify have the same options.
template <class Command>
void check_url_and_folder(const std::string& name) {
  const auto parse = [&](words arguments, const words& environment = {}) {
    arguments.insert(arguments.begin(), name);
    return std::get<Command>(parse_command_line(arguments, environment).value());
  };
  const auto from_arguments = parse({"--postgres-url", some_url, "--data-dir", "D"});
  CHECK(from_arguments.postgres_url == some_url);
  CHECK(from_arguments.data_folder == "D");
  CHECK(parse({"--postgres-url=host=h"}).data_folder == "data");

  const words environment = {"ORDEM_POSTGRES_URL=" + some_url, "ORDEM_DATA_DIR=E"};
  CHECK(parse({}, environment).postgres_url == some_url);
  CHECK(parse({}, environment).data_folder == "E");
  CHECK(parse({}, {"ORDEM_POSTGRES_URL=" + some_url + "\n"}).postgres_url == some_url);
  CHECK(parse({"--postgres-url", " " + some_url + "\r\n"}).postgres_url == some_url);
  CHECK(parse({"--postgres-url=host=h", "--data-dir=D"}, environment).postgres_url == "host=h");
  CHECK(parse({"--postgres-url=host=h", "--data-dir=D"}, environment).data_folder == "D");
}

TEST_CASE("restore reads a URL and a folder from arguments or the environment") {
  check_url_and_folder<restore_command>("restore");
}

TEST_CASE("verify reads a URL and a folder from arguments or the environment") {
  check_url_and_folder<verify_command>("verify");
}

TEST_CASE("restore and verify refuse missing and invalid options") {
  const auto name = GENERATE(as<std::string>{}, "restore", "verify");
  const auto [rest, named] = GENERATE(table<words, std::string>({
      {words{}, "ORDEM_POSTGRES_URL"},
      {{"--postgres-url="}, "--postgres-url"},
      {{"--postgres-url=h"}, "--postgres-url"},
      {{"--postgres-url"}, "--postgres-url"},
      {{"--postgres-url=host=h", "--data-dir"}, "--data-dir"},
      {{"--postgres-url=host=h", "--port=1"}, "--port"},
      {{"--postgres-url=host=h", "extra"}, "extra"},
      {{"--postgres-url=mysql://u:seCret@h/d"}, "--postgres-url"},
      {{"--postgres-ulr=postgres://u:seCret@h/d"}, "--postgres-ulr"},
      {{"postgres://u:seCret@h/d"}, "user=u password=*** dbname=d host=h"},
  }));
  words arguments = {name};
  arguments.insert(arguments.end(), rest.begin(), rest.end());
  CAPTURE(arguments);
  const auto parsed = parse_command_line(arguments, {});
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().exit_code == 2);
  CHECK_THAT(parsed.error().text, Contains(named) && !Contains("secret", Catch::CaseSensitive::No));
}

TEST_CASE("restore and verify have a help") {
  const auto [name, promise] = GENERATE(table<std::string, std::string>({
      {"restore", "must be empty or not there"},
      {"verify", "exit code is 1"},
  }));
  const auto parsed = parse_command_line({name, "--help"}, {"ORDEM_POSTGRES_URL=" + some_url});
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().exit_code == 0);
  CHECK_THAT(parsed.error().text, Contains("--postgres-url") && Contains("ORDEM_POSTGRES_URL") &&
                                      Contains("--data-dir") && Contains("ORDEM_DATA_DIR") && Contains(promise) &&
                                      !Contains("seCret"));
  const auto all = parse_command_line({"--help"}, {});
  REQUIRE_FALSE(all);
  CHECK_THAT(all.error().text, Contains(name));
}

}  // namespace
}  // namespace ordem::app
