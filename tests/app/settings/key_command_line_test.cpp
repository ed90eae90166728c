#include <catch2/catch.hpp>

#include "tests/app/support.hpp"

namespace ordem::app {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using testing::settings_file;
using testing::words;

template <class Command>
Command parse_key(words arguments, const words& environment = {}) {
  arguments.insert(arguments.begin(), "key");
  const auto parsed = parse_command_line(arguments, environment);
  if (!parsed) throw std::runtime_error(parsed.error().text);
  return std::get<Command>(*parsed);
}

std::string key_error(words arguments, const words& environment = {}) {
  arguments.insert(arguments.begin(), "key");
  const auto parsed = parse_command_line(arguments, environment);
  if (parsed) throw std::runtime_error("the command line is valid");
  CHECK(parsed.error().exit_code == 2);
  return parsed.error().text;
}

const words create = {"create", "--name", "till-7", "--scopes", "orders:read,captures"};

words with(words arguments, const words& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST_CASE("key create has a name, a tenant, scopes and a lifetime") {
  const auto what =
      parse_key<key_create_command>(with(create, {"--tenant", "shop", "--expires", "90d", "--keys", "keys"}));
  CHECK(what.name == "till-7");
  CHECK(what.tenant == "shop");
  CHECK(what.scopes == auth::scope_set{auth::scope::orders_read, auth::scope::captures});
  CHECK(what.lifetime == 90 * 24h);
  CHECK(what.keys_file == "keys");
  CHECK(what.certificate_subject.empty());
}

TEST_CASE("key create has defaults") {
  const auto what = parse_key<key_create_command>(create);
  CHECK(what.tenant.empty());
  CHECK(what.lifetime == 0ms);
  CHECK(what.keys_file.empty());
}

TEST_CASE("key create takes the subject of a certificate") {
  CHECK(
      parse_key<key_create_command>(with(create, {"--certificate-subject", "CN=till-7,O=shop"})).certificate_subject ==
      "CN=till-7,O=shop");
  CHECK_THAT(key_error(with(create, {"--certificate-subject", "/CN=till-7"})),
             Contains("--certificate-subject") && Contains("RFC 4514"));
}

TEST_CASE("key create refuses what is no identity") {
  CHECK_THAT(key_error({"create", "--scopes", "captures"}), Contains("--name"));
  CHECK_THAT(key_error({"create", "--name", "a"}), Contains("--scopes"));
  CHECK_THAT(key_error({"create", "--name", "a b", "--scopes", "captures"}), Contains("--name must be"));
  CHECK_THAT(key_error({"create", "--name", "a", "--scopes", "orders"}),
             Contains("unknown scope 'orders'") && Contains("orders:write"));
  CHECK_THAT(key_error(with(create, {"--tenant", "Shop"})), Contains("--tenant must be"));
  CHECK_THAT(key_error(with(create, {"--expires", "90"})), Contains("--expires"));
}

TEST_CASE("the commands of keys find the keys file as the server does") {
  const settings_file file("keys = in-the-file\nport = 1\n");
  CHECK(parse_key<key_list_command>({"list", "--keys", "a"}, {"ORDEM_KEYS=b"}).keys_file == "a");
  CHECK(parse_key<key_list_command>({"list"}, {"ORDEM_KEYS=b"}).keys_file == "b");
  CHECK(parse_key<key_list_command>({"list", "--config", file.path()}).keys_file == "in-the-file");
  CHECK(parse_key<key_create_command>(create, {"ORDEM_KEYS=b"}).keys_file == "b");
  CHECK(parse_key<key_revoke_command>({"revoke", "x"}, {"ORDEM_CONFIG=" + file.path(), "ORDEM_PORT=2"}).keys_file ==
        "in-the-file");
  for (const words& arguments : {words{"list"}, words{"revoke", "a"}})
    CHECK_THAT(key_error(arguments), Contains("no keys file is given"));
}

TEST_CASE("key revoke has a name and perhaps an id") {
  const auto what = parse_key<key_revoke_command>({"revoke", "till-7", "--id", "ba7816bf", "--keys", "k"});
  CHECK(what.name == "till-7");
  CHECK(what.id == "ba7816bf");
  CHECK(parse_key<key_revoke_command>({"revoke", "till-7", "--keys", "k"}).id.empty());
  CHECK_THAT(key_error({"revoke", "--keys", "k"}), Contains("NAME"));
}

}  // namespace
}  // namespace ordem::app
