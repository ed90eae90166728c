#include "app/settings/command_line.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cctype>
#include <thread>

#include "tests/app/support.hpp"

namespace ordem::app {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using testing::error_of;
using testing::parse_serve;
using testing::settings_file;
using testing::settings_of;
using testing::words;

const std::string some_id = "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f";

// Every setting of a server without a cluster, with a value other than its default.
const std::vector<std::pair<std::string, std::string>> all_settings = {
    {"address", "::1"},
    {"port", "9090"},
    {"auth", "required"},
    {"auth-captures", "none"},
    {"allowed-hosts", "orders.example.com,ordem"},
    {"operations-address", "127.0.0.2"},
    {"operations-port", "9091"},
    {"captures-address", "127.0.0.3"},
    {"captures-port", "9092"},
    {"tls-certificate", "server.pem"},
    {"tls-key", "server.key"},
    {"tls-client-ca", "clients.pem"},
    {"data-dir", "elsewhere"},
    {"backup-root", "/backups"},
    {"durability", "os"},
    {"in-flight", "conflict"},
    {"message-ttl", "7d"},
    {"capture-lease", "30s"},
    {"capture-ttl", "2d"},
    {"capture-max", "3MiB"},
    {"max-body", "2MiB"},
    {"body-memory", "64MiB"},
    {"response-memory", "128MiB"},
    {"max-header", "32KiB"},
    {"max-connections", "2000"},
    {"connections-per-address", "20"},
    {"feed-readers", "50"},
    {"max-in-flight", "100"},
    {"tenant-rate", "500"},
    {"tenant-in-flight", "50"},
    {"metrics-tenants", "20"},
    {"live-orders", "5000"},
    {"idle-timeout", "5s"},
    {"request-timeout", "1m"},
    {"drain-timeout", "500ms"},
    {"io-threads", "3"},
    {"worker-threads", "4"},
    {"shards", "5"},
    {"block-cache", "64MiB"},
    {"write-buffer", "8MiB"},
    {"log-entries", "1000"},
    {"keys", "keys-file"},
    {"jwks", "https://i.example/jwks"},
    {"jwt-issuer", "https://i.example/"},
    {"jwt-audience", "ordem"},
    {"jwt-leeway", "5s"},
    {"jwt-name-claim", "client_id"},
    {"jwt-tenant-claim", "org"},
    {"jwt-scope-claim", "roles"},
    {"postgres-url", "postgres://h/d"},
    {"persist-backlog-max", "2GiB"},
    {"log-format", "json"},
    {"log-level", "debug"},
    {"request-log", "errors"},
};
// The others, which exclude some of these values.
const std::vector<std::pair<std::string, std::string>> cluster_settings = {
    {"cluster", "shop"},     {"nats", "tls://n-1,tls://n-2:5222"}, {"nats-credentials", "ordem.creds"},
    {"nats-ca", "ca.pem"},   {"nats-certificate", "client.pem"},   {"nats-key", "client.key"},
    {"node", "node-1.shop"}, {"node-address", "node-1.shop:8080"},
};

std::string environment_name(std::string setting) {
  for (char& c : setting) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return "ORDEM_" + setting;
}

void check_all_are_set(const settings& result) {
  CHECK(result.server.address == "::1");
  CHECK(result.server.port == 9090);
  CHECK(result.auth == auth_policy::required);
  CHECK(result.server.access.captures_are_open);
  CHECK(result.server.access.hosts == std::vector<std::string>{"orders.example.com", "ordem"});
  CHECK(result.server.operations_address == "127.0.0.2");
  CHECK(result.server.operations_port == std::uint16_t{9091});
  CHECK(result.server.captures_address == "127.0.0.3");
  CHECK(result.server.captures_port == std::uint16_t{9092});
  CHECK(result.server.tls.certificate_file == "server.pem");
  CHECK(result.server.tls.key_file == "server.key");
  CHECK(result.server.tls.client_ca_file == "clients.pem");
  CHECK(result.store.folder == "elsewhere");
  CHECK(result.backup_root == "/backups");
  CHECK(result.store.durability == storage::durability::os);
  CHECK(result.engine.in_flight == actors::in_flight_policy::conflict);
  CHECK(result.engine.message_ttl == 168h);
  CHECK(result.engine.captures.lease == 30s);
  CHECK(result.engine.captures.ttl == 48h);
  CHECK(result.server.captured_bytes_max == 3 << 20);
  CHECK(result.server.body_bytes_max == 2 << 20);
  CHECK(result.server.body_memory_bytes_max == std::size_t{64} << 20);
  CHECK(result.server.response_memory_bytes_max == std::size_t{128} << 20);
  CHECK(result.server.header_bytes_max == 32 << 10);
  CHECK(result.server.connections_max == 2000);
  CHECK(result.server.connections_per_address_max == 20);
  CHECK(result.engine.in_flight_max == 100);
  CHECK(result.server.access.tenants.rate == 500);
  CHECK(result.server.access.tenants.in_flight_max == 50);
  CHECK(result.server.access.tenants.named_in_metrics == 20);
  CHECK(result.engine.live_orders_max == 5000);
  CHECK(result.server.idle_timeout == 5s);
  CHECK(result.server.request_timeout == 1min);
  CHECK(result.drain_timeout == 500ms);
  CHECK(result.server.io_threads == 3);
  CHECK(result.engine.worker_threads == 4);
  CHECK(result.engine.shards == 5);
  CHECK(result.store.block_cache_bytes == std::size_t{64} << 20);
  CHECK(result.store.write_buffer_bytes == std::size_t{8} << 20);
  CHECK(result.store.log_entries_kept == 1000);
  CHECK(result.identities.keys_file == "keys-file");
  CHECK(result.identities.key_set == "https://i.example/jwks");
  CHECK(result.identities.tokens.issuer == "https://i.example/");
  CHECK(result.identities.tokens.audience == "ordem");
  CHECK(result.identities.tokens.leeway == 5s);
  CHECK(result.identities.tokens.name_claim == "client_id");
  CHECK(result.identities.tokens.tenant_claim == "org");
  CHECK(result.identities.tokens.scope_claim == "roles");
  CHECK(result.postgres_url == "postgres://h/d");
  CHECK(result.engine.consumer.backlog_bytes_max == std::uint64_t{2} << 30);
  CHECK(result.log_format == log_format::json);
  CHECK(result.log_level == "debug");
  CHECK(result.request_log == request_log_level::errors);
}

// --- where settings come from ---

TEST_CASE("every setting can be an argument") {
  words arguments;
  SECTION("of two words") {
    for (const auto& [name, value] : all_settings) arguments.insert(arguments.end(), {"--" + name, value});
    check_all_are_set(settings_of(arguments));
  }
  SECTION("of one word") {
    for (const auto& [name, value] : all_settings) arguments.push_back("--" + name + "=" + value);
    check_all_are_set(settings_of(arguments));
  }
}

TEST_CASE("every setting can be in the environment") {
  words environment = {"PATH=/bin", "ORDEMLY=1"};
  for (const auto& [name, value] : all_settings) environment.push_back(environment_name(name) + "=" + value);
  check_all_are_set(settings_of({}, environment));
}

TEST_CASE("every setting can be in a file") {
  std::string text = "# a comment\n\n";
  for (const auto& [name, value] : all_settings) text += name + " = \"" + value + "\"\n";
  const settings_file file(text);
  SECTION("that an argument names") {
    check_all_are_set(settings_of({"--config", file.path()}));
  }
  SECTION("that the environment names") {
    check_all_are_set(settings_of({}, {"ORDEM_CONFIG=" + file.path()}));
  }
}

TEST_CASE("a server becomes a node of a cluster by arguments, the environment or a file") {
  words arguments;
  words environment;
  std::string text;
  for (const auto& [name, value] : cluster_settings) {
    arguments.push_back("--" + name + "=" + value);
    environment.push_back(environment_name(name) + "=" + value);
    text += name + " = \"" + value + "\"\n";
  }
  const settings_file file(text);
  const settings result =
      GENERATE_REF(settings_of(arguments), settings_of({}, environment), settings_of({"--config", file.path()}));
  CHECK(result.cluster.name == "shop");
  CHECK(result.cluster.nats.urls == std::vector<std::string>{"tls://n-1:4222", "tls://n-2:5222"});
  CHECK(result.cluster.nats.credentials_file == "ordem.creds");
  CHECK(result.cluster.nats.ca_file == "ca.pem");
  CHECK(result.cluster.nats.certificate_file == "client.pem");
  CHECK(result.cluster.nats.key_file == "client.key");
  CHECK(result.node.name == "node-1.shop");
  CHECK(result.node.address == "node-1.shop:8080");
}

TEST_CASE("a node has a name even if none is given, and a server without a cluster has none") {
  const settings node = settings_of({"--cluster=shop", "--nats=nats://u:secret@a"});
  CHECK_FALSE(node.node.name.empty());
  CHECK(testing::effective(node, "node") == node.node.name);
  CHECK(testing::effective(node, "nats") == "nats://***@a:4222");
  CHECK(node.cluster.nats.password == "secret");
  CHECK(settings_of({}).node.name.empty());
}

TEST_CASE("values in a file need no quotes") {
  const settings_file file("port = 9090\nmessage-ttl = 7d\ndurability = os\n");
  const settings result = settings_of({"--config", file.path()});
  CHECK(result.server.port == 9090);
  CHECK(result.engine.message_ttl == 168h);
  CHECK(result.store.durability == storage::durability::os);
}

TEST_CASE("an argument overrides the environment, which overrides the file, which overrides the default") {
  const auto [by_argument, by_environment, by_file, port] = GENERATE(table<bool, bool, bool, int>({
      {false, false, false, 8080},
      {false, false, true, 1003},
      {false, true, false, 1002},
      {false, true, true, 1002},
      {true, false, false, 1001},
      {true, false, true, 1001},
      {true, true, false, 1001},
      {true, true, true, 1001},
  }));
  const settings_file file("port = 1003\n");
  words arguments;
  if (by_argument) arguments.push_back("--port=1001");
  if (by_file) arguments.push_back("--config=" + file.path());
  const words environment = by_environment ? words{"ORDEM_PORT=1002"} : words{};
  CHECK(settings_of(arguments, environment).server.port == port);
  std::reverse(arguments.begin(), arguments.end());
  CHECK(settings_of(arguments, environment).server.port == port);
}

TEST_CASE("an invalid value is refused even if another one overrides it") {
  const settings_file file("port = 70000\n");
  CHECK_THAT(error_of({"--config", file.path()}, {"ORDEM_PORT=1002"}), Contains("port"));
  CHECK_THAT(error_of({"--port=1001", "--config", file.path()}), Contains("port"));
  CHECK_THAT(error_of({"--port=1001"}, {"ORDEM_PORT=70000"}), Contains("port"));
}

TEST_CASE("the last of two equal names in a file is used") {
  const settings_file file("port = 1001\nlog-level = debug\nport = 1002\n");
  CHECK(settings_of({"--config", file.path()}).server.port == 1002);
}

TEST_CASE("an empty variable counts as unset") {
  const settings defaults = settings_of({});
  for (const auto& [name, value] : all_settings) {
    INFO(environment_name(name));
    const settings result = settings_of({"--log-level=debug"}, {environment_name(name) + "="});
    CHECK(result.log_level == "debug");
    if (name != "log-level") CHECK(testing::effective(result, name) == testing::effective(defaults, name));
  }
  const settings_file file("port = 1003\n");
  CHECK(settings_of({}, {"ORDEM_CONFIG=" + file.path(), "ORDEM_PORT="}).server.port == 1003);
  CHECK(settings_of({}, {"ORDEM_CONFIG=", "ORDEM_NOTHING="}).server.port == 8080);
}

TEST_CASE("an empty variable counts as unset for the commands on a folder or a database, too") {
  const auto folder = parse_command_line({"inspect", "message", "k-1"}, {"ORDEM_DATA_DIR="});
  CHECK(std::get<inspect_message_command>(folder.value()).data_folder == "data");
  const auto database = parse_command_line({"migrate"}, {"ORDEM_POSTGRES_URL="});
  REQUIRE_FALSE(database);
  CHECK_THAT(database.error().text, Contains("no database is given"));
}

TEST_CASE("an empty value is refused and does not take the next argument") {
  const auto name = GENERATE(as<std::string>{}, "data-dir", "config", "postgres-url", "port", "durability");
  INFO(name);
  CHECK_THAT(error_of({"--" + name + "=", "--durability=os"}), Contains("'--" + name + "' is empty"));
  CHECK_THAT(error_of({"--" + name, "", "--durability=os"}), Contains("'--" + name + "' is empty"));
  if (name == "config") return;
  const settings_file file(name + " = \"\"\nlog-level = debug\n");
  CHECK_THAT(error_of({"--config", file.path()}), Contains("'" + name + "'") && Contains("is empty"));
}

TEST_CASE("an argument after -- may end with an equals sign") {
  const auto parsed = parse_command_line({"inspect", "message", "--", "--k="}, {});
  CHECK(std::get<inspect_message_command>(parsed.value()).guid.view() == "--k=");
}

TEST_CASE("a configuration file from an argument replaces that of the environment") {
  const settings_file one("port = 1001\n");
  const settings_file other("port = 1002\n");
  CHECK(settings_of({"--config", one.path()}, {"ORDEM_CONFIG=" + other.path()}).server.port == 1001);
}

TEST_CASE("the last of two equal arguments is used") {
  CHECK(settings_of({"--port=1001", "--port=1002"}).server.port == 1002);
}

TEST_CASE("without settings there are the defaults of the manual") {
  const settings result = settings_of({});
  CHECK(result.server.address == "127.0.0.1");
  CHECK(result.server.port == 8080);
  CHECK(result.store.folder == "data");
  CHECK(result.store.durability == storage::durability::fsync);
  CHECK(result.engine.in_flight == actors::in_flight_policy::join);
  CHECK(result.engine.message_ttl == 24h);
  CHECK(result.engine.captures.lease == 60s);
  CHECK(result.engine.captures.ttl == 24h);
  CHECK(result.server.captured_bytes_max == 1 << 20);
  CHECK(result.server.body_bytes_max == 1 << 20);
  CHECK(result.server.header_bytes_max == 16 << 10);
  CHECK(result.server.connections_max == 16384);
  CHECK(result.engine.in_flight_max == 8192);
  CHECK(result.engine.live_orders_max == 100'000);
  CHECK(result.server.idle_timeout == 60s);
  CHECK(result.server.request_timeout == 30s);
  CHECK(result.drain_timeout == 20s);
  CHECK_FALSE(result.identities.any());
  CHECK(result.identities.tokens.leeway == 60s);
  CHECK(result.identities.tokens.name_claim == "sub");
  CHECK(result.identities.tokens.tenant_claim == "tenant");
  CHECK(result.identities.tokens.scope_claim == "scope");
  CHECK(result.log_format == log_format::automatic);
  CHECK(result.log_level == "info");
  CHECK(result.server.io_threads == std::max(1U, std::thread::hardware_concurrency()));
}

// --- unknown names ---

TEST_CASE("an unknown argument is refused with its name") {
  const auto arguments = GENERATE(values<words>({{"--prot=1"}, {"--port-number", "1"}, {"-x"}, {"extra"}}));
  CHECK_THAT(error_of(arguments), Contains(arguments[0].substr(0, arguments[0].find('='))));
}

TEST_CASE("an unknown variable of the environment is refused with its name") {
  const auto variable = GENERATE(as<std::string>{}, "ORDEM_PROT=1", "ORDEM_=1", "ORDEM_port=1", "ORDEM_PORT_NUMBER");
  CHECK_THAT(error_of({}, {variable}), Contains(variable.substr(0, variable.find('='))));
}

TEST_CASE("an unknown name in the file is refused with the name and the file") {
  const auto [text, name] = GENERATE(table<std::string, std::string>({
      {"prot = 1\n", "prot"},
      {"port = 1\nmax_body = 1MiB\n", "max_body"},
      {"[serve]\nport = 1\n", "serve"},
      {"config = other.conf\n", "config"},
      {"help = true\n", "help"},
  }));
  const settings_file file(text);
  const std::string error = error_of({"--config", file.path()});
  CHECK_THAT(error, Contains(name));
  CHECK_THAT(error, Contains(file.path()));
}

TEST_CASE("a missing configuration file is refused with its path") {
  CHECK_THAT(error_of({"--config=/nowhere/ordem.conf"}), Contains("/nowhere/ordem.conf"));
}

TEST_CASE("a configuration file that is a folder is refused") {
  CHECK_THAT(error_of({"--config=/tmp"}), Contains("'/tmp' is a folder"));
}

TEST_CASE("an endless configuration file is refused") {
  CHECK_THAT(error_of({"--config=/dev/zero"}), Contains("'/dev/zero' is larger than 1 MiB"));
}

TEST_CASE("a configuration file may have exactly 1 MiB") {
  std::string text = "port = 1003\n#";
  text.resize(std::size_t{1} << 20, 'x');
  CHECK(settings_of({"--config", settings_file(text).path()}).server.port == 1003);
  CHECK_THAT(error_of({"--config", settings_file(text + 'x').path()}), Contains("larger than 1 MiB"));
}

TEST_CASE("a configuration file in UTF-16 is refused") {
  const settings_file file(std::string("\xFF\xFEp\0o\0r\0t\0", 10));
  CHECK_THAT(error_of({"--config", file.path()}), Contains("not a text"));
}

TEST_CASE("a byte order mark and CRLF are accepted in a configuration file") {
  const settings_file file("\xEF\xBB\xBFport = 1003\r\nlog-level = \"debug\"\r\n");
  const settings result = settings_of({"--config", file.path()});
  CHECK(result.server.port == 1003);
  CHECK(result.log_level == "debug");
}

TEST_CASE("a list of values in the file is refused") {
  const settings_file file("port = [1, 2]\n");
  CHECK_THAT(error_of({"--config", file.path()}), Contains("port"));
}

TEST_CASE("an argument without its value is refused") {
  const auto argument = GENERATE(as<std::string>{}, "--port", "--config", "--data-dir", "--message-ttl");
  CHECK_THAT(error_of({argument}), Contains(argument));
}

// --- values ---

TEST_CASE("durations have units") {
  const auto [text, value] = GENERATE(table<std::string, std::chrono::milliseconds>(
      {{"1500ms", 1500ms}, {"90s", 90s}, {"5m", 5min}, {"2h", 2h}, {"7d", 168h}, {"366d", 8784h}, {"24 h", 24h}}));
  CHECK(settings_of({"--message-ttl", text}).engine.message_ttl == value);
}

TEST_CASE("sizes have units") {
  const auto [text, bytes] = GENERATE(table<std::string, std::size_t>({{"1KiB", 1024},
                                                                       {"2048", 2048},
                                                                       {"2048B", 2048},
                                                                       {"64KiB", 65536},
                                                                       {"1MiB", 1048576},
                                                                       {"1GiB", std::size_t{1} << 30},
                                                                       {"1024GiB", std::size_t{1} << 40},
                                                                       {"1 MiB", 1048576}}));
  CHECK(settings_of({"--max-body", text, "--body-memory", "1024GiB"}).server.body_bytes_max == bytes);
}

TEST_CASE("an invalid value is refused with the name of its setting") {
  const auto [name, value] = GENERATE(table<std::string, std::string>({
      {"port", "65536"},
      {"port", "-1"},
      {"port", "http"},
      {"port", ""},
      {"port", "80.5"},
      {"port", "0x50x"},
      {"durability", "disk"},
      {"durability", "postgres"},
      {"durability", ""},
      {"in-flight", "wait"},
      {"message-ttl", "24"},
      {"message-ttl", "0s"},
      {"message-ttl", "-1h"},
      {"message-ttl", "367d"},
      {"message-ttl", "soon"},
      {"message-ttl", "1w"},
      {"message-ttl", ""},
      {"message-ttl", "h"},
      {"max-body", "1023"},
      {"max-body", "0"},
      {"max-body", "1025GiB"},
      {"max-body", "-1"},
      {"max-body", "1MiBs"},
      {"max-body", "big"},
      {"max-body", ""},
      {"max-header", "512B"},
      {"max-connections", "0"},
      {"max-connections", "1000001"},
      {"feed-readers", "0"},
      {"feed-readers", "1000001"},
      {"operations-port", "65536"},
      {"operations-address", "localhost"},
      {"captures-port", "-1"},
      {"captures-address", "300.0.0.1"},
      {"connections-per-address", "1000001"},
      {"max-in-flight", "0"},
      {"max-in-flight", "many"},
      {"live-orders", "0"},
      {"idle-timeout", "0ms"},
      {"request-timeout", "30"},
      {"drain-timeout", "forever"},
      {"io-threads", "0"},
      {"io-threads", "1025"},
      {"worker-threads", "0"},
      {"shards", "0"},
      {"shards", "4294967297"},
      {"block-cache", "1KiB"},
      {"write-buffer", "1MiB"},
      {"log-entries", "0"},
      {"log-format", "xml"},
      {"log-level", "loud"},
      {"request-log", "some"},
      {"port", "18446744073709551617"},
      {"message-ttl", "18446744073709551617ms"},
      {"message-ttl", "99999999999999999999d"},
      {"max-body", "18446744073709551617"},
      {"max-body", "17179869185GiB"},
  }));
  INFO("--" << name << "='" << value << "'");
  SECTION("as an argument") {
    CHECK_THAT(error_of({"--" + name + "=" + value}), Contains(name));
  }
  SECTION("in the environment") {
    if (!value.empty()) CHECK_THAT(error_of({}, {environment_name(name) + "=" + value}), Contains(name));
  }
  SECTION("in a file") {
    const settings_file file(name + " = \"" + value + "\"\n");
    CHECK_THAT(error_of({"--config", file.path()}), Contains(name));
  }
}

TEST_CASE("an unknown choice is refused with the names of all choices") {
  const auto [name, choices] = GENERATE(table<std::string, std::string>({{"durability", "{fsync,os,postgres}"},
                                                                         {"in-flight", "{conflict,join}"},
                                                                         {"log-format", "{auto,json,text}"},
                                                                         {"log-level", "{debug,info,warning,error}"},
                                                                         {"request-log", "{all,errors,off}"}}));
  CHECK_THAT(error_of({"--" + name + "=other"}), Contains(name) && Contains(choices));
}

TEST_CASE("a node that cannot be is refused") {
  const auto [setting, why] = GENERATE(table<std::string, std::string>({
      {"--node=a b", "--node may have only"},
      {"--node=a..b", "point only between"},
      {"--node=.a", "point only between"},
      {"--node=" + std::string(256, 'a'), "1 to 255"},
      {"--node-address=a", "HOST:PORT"},
      {"--node-address=:80", "HOST:PORT"},
      {"--node-address=a:0", "HOST:PORT"},
      {"--node-address=a:65536", "HOST:PORT"},
      {"--node-address=::1:80", "HOST:PORT"},
      {"--node-address=http://a:80", "HOST:PORT"},
  }));
  CHECK_THAT(error_of({"--cluster=shop", "--nats=nats://a", setting}), Contains(why));
  CHECK(settings_of({"--cluster=shop", "--nats=nats://a", "--node-address=[::1]:80"}).node.address == "[::1]:80");
}

TEST_CASE("contradictory settings are refused with both names") {
  const auto [arguments, one, other] = GENERATE(table<words, std::string, std::string>({
      {{"--max-connections=2", "--io-threads=3"}, "--max-connections", "--io-threads"},
      {{"--live-orders=2", "--shards=3"}, "--live-orders", "--shards"},
      {{"--tls-certificate=c"}, "--tls-certificate", "--tls-key"},
      {{"--tls-key=k"}, "--tls-certificate", "--tls-key"},
      {{"--tls-client-ca=a"}, "--tls-client-ca", "--tls-certificate"},
      {{"--operations-address=::1"}, "--operations-address", "--operations-port"},
      {{"--captures-address=::1"}, "--captures-address", "--captures-port"},
      {{"--operations-port=8080"}, "--operations-port", "--port"},
      {{"--captures-port=8080", "--address=0.0.0.0"}, "--captures-port", "--port"},
      {{"--captures-port=8080", "--captures-address=::"}, "--captures-port", "--port"},
      {{"--operations-port=9090", "--captures-port=9090"}, "--captures-port", "--operations-port"},
      {{"--message-ttl=999ms"}, "--message-ttl", "1s"},
      {{"--cluster=shop"}, "--nats", "ORDEM_NATS"},
      {{"--nats=nats://a"}, "--cluster", "ORDEM_CLUSTER"},
      {{"--nats-ca=ca.pem"}, "--cluster", "ORDEM_CLUSTER"},
      {{"--node=a"}, "--node", "--cluster"},
      {{"--node-address=a:1"}, "--node", "--cluster"},
      {{"--cluster=shop", "--nats=nats://a", "--durability=os"}, "--durability", "--cluster"},
      {{"--cluster=shop", "--nats=nats://a", "--max-body=1025KiB"}, "--max-body", "--cluster"},
      {{"--cluster=shop", "--nats=nats://a", "--capture-max=1025KiB"}, "--capture-max", "--cluster"},
  }));
  const std::string error = error_of(arguments);
  CHECK_THAT(error, Contains(one) && Contains(other));
}

TEST_CASE("settings at the edge of a contradiction are accepted") {
  const auto arguments = GENERATE(values<words>({{"--max-connections=3", "--io-threads=3"},
                                                 {"--live-orders=3", "--shards=3"},
                                                 {"--operations-port=8080", "--operations-address=::1"},
                                                 {"--tls-certificate=c", "--tls-key=k"},
                                                 {"--operations-port=0", "--captures-port=0", "--port=0"},
                                                 {"--cluster=shop", "--nats=nats://a", "--max-body=1MiB"},
                                                 {"--message-ttl=1s"},
                                                 {"--message-ttl=1000ms"}}));
  CHECK(parse_serve(arguments).has_value());
}

// --- output ---

TEST_CASE("all settings are listed once with the value in effect") {
  words arguments;
  for (const auto& [name, value] : all_settings) arguments.push_back("--" + name + "=" + value);
  const settings result = settings_of(arguments);
  CHECK(result.effective.size() == all_settings.size() + cluster_settings.size() + 1);  // and config
  // Values with a unit may be printed in another unit.
  CHECK(testing::effective(result, "port") == "9090");
  CHECK(testing::effective(result, "data-dir") == "elsewhere");
  CHECK(testing::effective(result, "log-level") == "debug");
  for (const auto& [name, value] : all_settings) CHECK_FALSE(testing::effective(result, name).empty());
}

TEST_CASE("defaults are listed with the value in effect") {
  const settings result = settings_of({});
  CHECK(testing::effective(result, "port") == "8080");
  CHECK(testing::effective(result, "durability") == "fsync");
  CHECK(testing::effective(result, "in-flight") == "join");
  CHECK(testing::effective(result, "log-format") == "auto");
  CHECK(testing::effective(result, "message-ttl") == "24h");
  CHECK(testing::effective(result, "io-threads") == std::to_string(result.server.io_threads));
}

TEST_CASE("choices that were set are listed by name, like defaults") {
  const settings result =
      settings_of({"--durability=os", "--in-flight=conflict", "--log-format=json", "--message-ttl=48h"});
  CHECK(testing::effective(result, "durability") == "os");
  CHECK(testing::effective(result, "in-flight") == "conflict");
  CHECK(testing::effective(result, "log-format") == "json");
  CHECK_THAT(testing::effective(result, "message-ttl"), Contains("h") || Contains("ms"));
}

TEST_CASE("the help of serve lists every setting with its variable") {
  const auto parsed = parse_serve({"--help"});
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().exit_code == 0);
  for (const auto& [name, value] : all_settings) {
    CHECK_THAT(parsed.error().text, Contains("--" + name) && Contains(environment_name(name)));
  }
  for (const auto& [name, value] : cluster_settings) {
    CHECK_THAT(parsed.error().text, Contains("--" + name) && Contains(environment_name(name)));
  }
  CHECK_THAT(parsed.error().text, Contains("--config") && Contains("beats"));
}

TEST_CASE("the help of ordem lists its commands") {
  const auto parsed = parse_command_line({"--help"}, {});
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().exit_code == 0);
  CHECK_THAT(parsed.error().text,
             Contains("serve") && Contains("inspect") && Contains("migrate") && Contains("version"));
}

// --- commands ---

TEST_CASE("without a command or with an unknown one the exit code is 2 and the error refers to the help") {
  const auto arguments = GENERATE(values<words>({{}, {"sevre"}, {"inspect"}, {"inspect", "orders"}, {"--port=1"}}));
  const auto parsed = parse_command_line(arguments, {});
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().exit_code == 2);
  CHECK_THAT(parsed.error().text, Contains("--help"));
}

TEST_CASE("the version has options, too") {
  const auto option = GENERATE(as<std::string>{}, "--version", "-v", "-V");
  CHECK(std::holds_alternative<version_command>(parse_command_line({option}, {}).value()));
}

TEST_CASE("help explains one command or lists all") {
  const auto [arguments, same_as] =
      GENERATE(table<words, words>({{{"help"}, {"--help"}},
                                    {{"help", "serve"}, {"serve", "--help"}},
                                    {{"help", "inspect"}, {"inspect", "--help"}},
                                    {{"help", "inspect", "order"}, {"inspect", "order", "--help"}}}));
  const auto helped = parse_command_line(arguments, {});
  REQUIRE_FALSE(helped);
  CHECK(helped.error().exit_code == 0);
  CHECK(helped.error().text == parse_command_line(same_as, {}).error().text);
}

TEST_CASE("help refuses an unknown command") {
  const auto parsed = parse_command_line({"help", "sevre"}, {});
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().exit_code == 2);
  CHECK_THAT(parsed.error().text, Contains("'sevre' is not a command"));
}

TEST_CASE("an option outside a command is refused with its name") {
  const auto parsed = parse_command_line({"--colour"}, {});
  REQUIRE_FALSE(parsed);
  CHECK_THAT(parsed.error().text, Contains("'--colour' is not an option of ordem itself"));
}

TEST_CASE("version has no options") {
  CHECK(std::holds_alternative<version_command>(parse_command_line({"version"}, {}).value()));
  CHECK_FALSE(parse_command_line({"version", "--port=1"}, {}));
}

TEST_CASE("inspect order has an id and a folder") {
  const auto parsed = parse_command_line({"inspect", "order", some_id, "--data-dir", "D"}, {});
  const auto& found = std::get<inspect_order_command>(parsed.value());
  CHECK(found.id.to_string() == some_id);
  CHECK(found.data_folder == "D");
}

TEST_CASE("inspect message has a GUID and a folder") {
  const auto parsed = parse_command_line({"inspect", "message", "k-1", "--data-dir=D"}, {});
  const auto& found = std::get<inspect_message_command>(parsed.value());
  CHECK(found.guid.view() == "k-1");
  CHECK(found.data_folder == "D");
}

TEST_CASE("inspect message, inspect capture and import captures have a tenant, the empty one by default") {
  const auto message = parse_command_line({"inspect", "message", "k-1", "--tenant", "shop"}, {});
  CHECK(std::get<inspect_message_command>(message.value()).tenant == "shop");
  const auto capture = parse_command_line({"inspect", "capture", "some-key", "--tenant=shop"}, {});
  CHECK(std::get<inspect_capture_command>(capture.value()).tenant == "shop");
  const auto import = parse_command_line({"import", "captures", "-", "--tenant", std::string(255, 's')}, {});
  CHECK(std::get<import_captures_command>(import.value()).tenant == std::string(255, 's'));

  CHECK(std::get<inspect_message_command>(parse_command_line({"inspect", "message", "k-1"}, {}).value()).tenant == "");
  const auto refused = parse_command_line({"inspect", "message", "k-1", "--tenant", std::string(256, 's')}, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().exit_code == 2);
  CHECK_THAT(refused.error().text, Contains("--tenant") && Contains("a tenant has at most 255 bytes"));
  CHECK_FALSE(parse_command_line({"inspect", "order", some_id, "--tenant", "shop"}, {}));
}

TEST_CASE("by default inspect reads the folder data") {
  const auto parsed = parse_command_line({"inspect", "message", "k-1"}, {});
  CHECK(std::get<inspect_message_command>(parsed.value()).data_folder == "data");
}

TEST_CASE("inspect reads its folder from the environment, too") {
  const auto parsed = parse_command_line({"inspect", "message", "k-1"}, {"ORDEM_DATA_DIR=D"});
  CHECK(std::get<inspect_message_command>(parsed.value()).data_folder == "D");
}

TEST_CASE("inspect refuses an invalid id or GUID") {
  const auto arguments = GENERATE(values<words>({{"inspect", "order", "7"},
                                                 {"inspect", "order", some_id + "0"},
                                                 {"inspect", "order"},
                                                 {"inspect", "message", "two words"},
                                                 {"inspect", "message", std::string(256, 'k')},
                                                 {"inspect", "message", ""},
                                                 {"inspect", "message"}}));
  const auto parsed = parse_command_line(arguments, {});
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().exit_code == 2);
  CHECK_FALSE(parsed.error().text.empty());
}

TEST_CASE("migrate has a URL, a lock timeout and a dry run") {
  const auto parsed =
      parse_command_line({"migrate", "--postgres-url", "postgres://h/d", "--dry-run", "--lock-timeout=1m"}, {});
  const auto& found = std::get<migrate_command>(parsed.value());
  CHECK(found.postgres_url == "postgres://h/d");
  CHECK(found.dry_run);
  CHECK(found.lock_timeout == 1min);
}

TEST_CASE("by default migrate applies changes and waits 30 s") {
  const auto parsed = parse_command_line({"migrate", "--postgres-url=postgres://h/d"}, {});
  const auto& found = std::get<migrate_command>(parsed.value());
  CHECK_FALSE(found.dry_run);
  CHECK(found.lock_timeout == 30s);
}

TEST_CASE("migrate status accepts the URL before or after its name") {
  const auto arguments = GENERATE(values<words>({{"migrate", "status", "--postgres-url=postgres://h/d"},
                                                 {"migrate", "--postgres-url=postgres://h/d", "status"}}));
  const auto parsed = parse_command_line(arguments, {});
  CHECK(std::get<migrate_status_command>(parsed.value()).postgres_url == "postgres://h/d");
}

TEST_CASE("migrate status uses an argument before its name rather than the environment") {
  const auto parsed = parse_command_line({"migrate", "--postgres-url=postgres://argument/d", "status"},
                                         {"ORDEM_POSTGRES_URL=postgres://environment/d"});
  CHECK(std::get<migrate_status_command>(parsed.value()).postgres_url == "postgres://argument/d");
}

TEST_CASE("migrate uses the URL of the environment unless there is an argument") {
  const words environment = {"ORDEM_POSTGRES_URL=postgres://environment/d"};
  const auto url_of = [&](const words& arguments) {
    return std::get<migrate_command>(parse_command_line(arguments, environment).value()).postgres_url;
  };
  CHECK(url_of({"migrate"}) == "postgres://environment/d");
  CHECK(url_of({"migrate", "--postgres-url=postgres://argument/d"}) == "postgres://argument/d");
}

TEST_CASE("migrate refuses missing, invalid and contradictory options") {
  const auto [arguments, named] = GENERATE(table<words, std::string>({
      {{"migrate"}, "ORDEM_POSTGRES_URL"},
      {{"migrate", "status"}, "ORDEM_POSTGRES_URL"},
      {{"migrate", "--postgres-url="}, "--postgres-url"},
      {{"migrate", "--postgres-url=h"}, "--postgres-url"},
      {{"migrate", "--postgres-url=postgres://h/d", "--lock-timeout=0s"}, "--lock-timeout"},
      {{"migrate", "--postgres-url=postgres://h/d", "--lock-timeout=25h"}, "--lock-timeout"},
      {{"migrate", "--postgres-url=postgres://h/d", "--dry-run", "status"}, "--dry-run"},
      {{"migrate", "--postgres-url=postgres://h/d", "--lock-timeout=1s", "status"}, "--lock-timeout"},
      {{"migrate", "stauts"}, "stauts"},
  }));
  const auto parsed = parse_command_line(arguments, {});
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().exit_code == 2);
  CHECK_THAT(parsed.error().text, Contains(named));
}

TEST_CASE("no error of the command line contains the password of a Postgres URL") {
  const auto arguments = GENERATE(values<words>({{"migrate", "--postgres-ulr=postgres://u:seCret@h/d"},
                                                 {"migrate", "--postgres-ulr", "postgres://u:seCret@h/d"},
                                                 {"migrate", "--postgres-ulr=password=seCret"},
                                                 {"migrate", "postgres://u:seCret@h/d"},
                                                 {"migrate", "--dry-run=postgres://u:seCret@h/d"},
                                                 {"migrate", "--lock-timeout=postgres://u:seCret@h/d"},
                                                 {"postgres://u:seCret@h/d"},
                                                 {"serve", "--port=postgres://u:seCret@h/d"},
                                                 {"serve", "--nothing=postgres://u:seCret@h/d"}}));
  const auto parsed = parse_command_line(arguments, {});
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().exit_code == 2);
  CHECK_THAT(parsed.error().text, !Contains("secret", Catch::CaseSensitive::No));
}

}  // namespace
}  // namespace ordem::app
