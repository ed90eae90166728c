// The command line of `ordem relay`.
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <variant>

#include "app/settings/command_line.hpp"
#include "tests/app/support.hpp"

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;
using testing::words;

words with_required(words more) {
  words all = {"relay", "--to=https://shop.example/hooks", "--secret-file=s", "--position-file=p"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}
relay_command relay_of(const words& more) {
  const auto parsed = parse_command_line(with_required(more), {});
  if (!parsed) FAIL(parsed.error().text);
  return std::get<relay_command>(*parsed);
}

TEST_CASE("a relay reads the server on this machine, from the end on, if nothing else is said") {
  const relay_command plain = relay_of({});
  CHECK(plain.from == "http://127.0.0.1:8080");
  CHECK(plain.to == "https://shop.example/hooks");
  CHECK(plain.secret_file == "s");
  CHECK(plain.position_file == "p");
  CHECK_FALSE(plain.after);
  CHECK(plain.query.empty());
  CHECK(plain.timeout == std::chrono::seconds(15));
  CHECK(plain.retry_first == std::chrono::seconds(1));
  CHECK(plain.retry_longest == std::chrono::minutes(1));
}

TEST_CASE("a relay takes its options") {
  const relay_command all = relay_of({"--from=https://ordem.example/", "--after=7", "--customer-id=c d&\xC3\xA4",
                                      "--type=order.created,order.updated", "--api-key-file=k", "--ca-file=ca.pem",
                                      "--timeout=3s", "--retry-first=2s", "--retry-longest=2s"});
  CHECK(all.from == "https://ordem.example");
  CHECK(all.after == position{7});
  CHECK(all.query == "&customer_id=c%20d%26%C3%A4&type=order.created%2Corder.updated");
  CHECK(all.api_key_file == "k");
  CHECK(all.ca_file == "ca.pem");
  CHECK(all.timeout == std::chrono::seconds(3));
  CHECK(relay_of({"--after=0"}).after == position{0});
  CHECK_FALSE(relay_of({"--after=end"}).after);
}

TEST_CASE("options of a relay that can't be used are refused by name") {
  const std::pair<words, std::string> rows[] = {
      {{"--from=ordem.example"}, "--from"},
      {{"--after=x"}, "--after"},
      {{"--after=-1"}, "--after"},
      {{"--after=9007199254740992"}, "--after"},
      {{"--after="}, "--after"},
      {{"--retry-first=2s", "--retry-longest=1s"}, "--retry-longest"},
      {{"--from=http://ordem.example", "--api-key-file=k"}, "--from"},
      {{"--timeout=0"}, "--timeout"},
  };
  for (const auto& [more, name] : rows) {
    CAPTURE(more);
    const auto parsed = parse_command_line(with_required(more), {});
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().exit_code != 0);
    CHECK_THAT(parsed.error().text, Contains(name));
  }
  for (const char* missing : {"--to", "--secret-file", "--position-file"}) {
    words some = {"relay"};
    for (const char* each : {"--to=http://x", "--secret-file=s", "--position-file=p"}) {
      if (!std::string(each).starts_with(missing)) some.emplace_back(each);
    }
    const auto parsed = parse_command_line(some, {});
    REQUIRE_FALSE(parsed);
    CHECK_THAT(parsed.error().text, Contains(missing));
  }
}

}  // namespace
}  // namespace ordem::app
