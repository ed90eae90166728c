#include "cluster/nats/stream_settings.hpp"

#include <catch2/catch.hpp>

namespace ordem::cluster {
namespace {

stream_settings example() {
  return {.names = names_of("a"), .replicas = 3, .bytes_max = 1'000'000};
}

// As a server of 2.15 describes a stream made with these settings.
std::string configuration_of_server() {
  return R"({"name":"ORDEM_A_LOG_0","subjects":["ordem.a.log.0"],"retention":"limits","max_consumers":-1,"max_msgs":-1,)"
         R"("max_bytes":1000000,"max_age":0,"max_msgs_per_subject":-1,"max_msg_size":4259840,"discard":"new",)"
         R"("storage":"file","num_replicas":3,"duplicate_window":120000000000,"compression":"none","allow_direct":true,)"
         R"("mirror_direct":false,"sealed":false,"deny_delete":true,"deny_purge":false,"allow_rollup_hdrs":false,)"
         R"("republish":{"src":"ordem.a.log.0","dest":"ordem.a.tail.0"},"consumer_limits":{},"allow_msg_ttl":false,)"
         R"("metadata":{"_nats.level":"3","_nats.req.level":"0","_nats.ver":"2.15.1"}})";
}

stream_info info_with(std::string configuration) {
  stream_info info;
  info.configuration = std::move(configuration);
  return info;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

TEST_CASE("a stream that was made with these settings has no difference") {
  CHECK(compare_stream(example(), info_with(stream_configuration(example()))).empty());
  CHECK(compare_stream(example(), info_with(configuration_of_server())).empty());
}

TEST_CASE("each setting in which a stream differs is named") {
  const auto [what, by, name, found] = GENERATE(table<std::string, std::string, std::string, std::string>({
      {R"("subjects":["ordem.a.log.0"])", R"("subjects":["ordem.a.log.0","x"])", "subjects",
       R"(["ordem.a.log.0","x"])"},
      {R"("retention":"limits")", R"("retention":"workqueue")", "retention", R"("workqueue")"},
      {R"("storage":"file")", R"("storage":"memory")", "storage", R"("memory")"},
      {R"("num_replicas":3)", R"("num_replicas":1)", "num_replicas", "1"},
      {R"("discard":"new")", R"("discard":"old")", "discard", R"("old")"},
      {R"("max_bytes":1000000)", R"("max_bytes":-1)", "max_bytes", "-1"},
      {R"("max_msg_size":4259840)", R"("max_msg_size":1048576)", "max_msg_size", "1048576"},
      {R"("max_msgs":-1)", R"("max_msgs":10)", "max_msgs", "10"},
      {R"("max_age":0)", R"("max_age":1000)", "max_age", "1000"},
      {R"("deny_delete":true,)", "", "deny_delete", "false"},
      {R"("deny_purge":false)", R"("deny_purge":true)", "deny_purge", "true"},
      {R"("allow_direct":true,)", "", "allow_direct", "false"},
      {R"("republish":{"src":"ordem.a.log.0","dest":"ordem.a.tail.0"},)", "", "republish", ""},
      {R"("dest":"ordem.a.tail.0")", R"("dest":"ordem.a.tail.0","headers_only":true)", "republish",
       R"({"src":"ordem.a.log.0","dest":"ordem.a.tail.0","headers_only":true})"},
      {R"("compression":"none")", R"("compression":"s2")", "compression", R"("s2")"},
      {R"("allow_msg_ttl":false)", R"("allow_msg_ttl":true)", "allow_msg_ttl", "true"},
      {R"("consumer_limits":{})", R"("mirror":{"name":"x"})", "mirror", R"({"name":"x"})"},
      {R"("consumer_limits":{})", R"("persist_mode":"async")", "persist_mode", R"("async")"},
  }));
  const auto differences = compare_stream(example(), info_with(replaced(configuration_of_server(), what, by)));
  REQUIRE(differences.size() == 1);
  CHECK(differences.front().name == name);
  CHECK(differences.front().found == found);
}

TEST_CASE("what JetStream says about a stream is read") {
  const auto info = parse_stream_info(
      R"({"type":"io.nats.jetstream.api.v1.stream_info_response","config":)" + configuration_of_server() +
      R"(,"created":"2026-11-27T00:00:00Z","state":{"messages":9,"bytes":4096,"first_seq":2,"last_seq":10,)"
      R"("consumer_count":0},"cluster":{"name":"c","leader":"n2","replicas":[)"
      R"({"name":"n1","current":true,"active":250000000},{"name":"n3","current":false,"offline":true,)"
      R"("active":5000000000,"lag":7}]}})");
  REQUIRE(info);
  CHECK(info->leader == "n2");
  CHECK(info->replicas == 3);
  CHECK(info->first_sequence == 2);
  CHECK(info->last_sequence == 10);
  CHECK(info->records == 9);
  CHECK(info->bytes == 4096);
  CHECK(info->bytes_max == 1'000'000);
  REQUIRE(info->followers.size() == 2);
  CHECK(info->followers[0].server == "n1");
  CHECK(info->followers[0].is_current);
  CHECK(info->followers[0].last_seen == std::chrono::milliseconds(250));
  CHECK(info->followers[1].is_offline);
  CHECK_FALSE(info->followers[1].is_current);
  CHECK(info->followers[1].lag == 7);
  CHECK(compare_stream(example(), *info).empty());
}

TEST_CASE("an answer that describes no stream is none") {
  const auto json = GENERATE(as<std::string>{}, "", "{}", "[]", R"({"config":{}})", R"({"state":{}})",
                             R"({"error":{"code":404,"err_code":10059,"description":"stream not found"}})");
  CHECK_FALSE(parse_stream_info(json));
}

}  // namespace
}  // namespace ordem::cluster
