#include "cluster/nats/stream_settings.hpp"

#include <simdjson.h>

#include <utility>

#include "engine/base/text.hpp"

namespace ordem::cluster {
namespace {

constexpr std::chrono::milliseconds api_time_max{5000};
// JetStream's err_code
constexpr std::int64_t error_no_peers = 10005;   // "no suitable peers for placement": too few, or offline
constexpr std::int64_t error_no_leader = 10008;  // of JetStream's own Raft group
constexpr std::int64_t error_peers_missing = 10009;
constexpr std::int64_t error_stream_not_found = 10059;

std::string json_text(std::string_view text) {
  return '"' + std::string(text) + '"';  // the names need no escapes
}

// A member of the configuration that is sent and compared, as JSON. `absent`: what it means if it is not there; empty:
// it must be there.
struct member {
  std::string_view name;
  std::string value;
  std::string_view absent;
};

std::vector<member> members_of(const stream_settings& settings) {
  const cluster_names& names = settings.names;
  return {
      {"name", json_text(names.stream), {}},
      {"subjects", "[" + json_text(names.log_subject) + "]", {}},
      {"retention", json_text("limits"), {}},
      {"storage", json_text("file"), {}},
      {"num_replicas", std::to_string(settings.replicas), {}},
      // What is full refuses, and drops nothing.
      {"discard", json_text("new"), {}},
      {"max_bytes", std::to_string(settings.bytes_max), {}},
      {"max_msg_size", std::to_string(nats_payload_bytes_min), {}},
      {"max_msgs", "-1", {}},
      {"max_msgs_per_subject", "-1", {}},
      {"max_age", "0", {}},
      {"max_consumers", "-1", {}},
      // Only whole beginnings are removed, by a purge.
      {"deny_delete", "true", "false"},
      {"deny_purge", "false", "false"},
      {"allow_rollup_hdrs", "false", "false"},
      {"sealed", "false", "false"},
      {"no_ack", "false", "false"},
      // Any replica answers reads.
      {"allow_direct", "true", "false"},
      {"republish",
       "{\"src\":" + json_text(names.log_subject) + ",\"dest\":" + json_text(names.tail_subject) + "}",
       {}},
      {"compression", json_text("none"), "\"none\""},
  };
}

// Members that must not be there: they change what the stream holds, or answer an append before it is synced.
constexpr std::string_view foreign_members[] = {"mirror",    "sources",       "subject_transform", "persist_mode",
                                                "first_seq", "allow_msg_ttl", "allow_msg_counter"};

std::uint64_t number_in(simdjson::dom::element object, const char* name) {
  std::uint64_t number = 0;
  return object[name].get(number) == simdjson::SUCCESS ? number : 0;
}

std::string text_in(simdjson::dom::element object, const char* name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

bool flag_in(simdjson::dom::element object, const char* name) {
  bool flag = false;
  return object[name].get(flag) == simdjson::SUCCESS && flag;
}

stream_replica parse_replica(simdjson::dom::element each) {
  const auto last_seen = std::chrono::nanoseconds(static_cast<std::int64_t>(number_in(each, "active")));
  return {.server = text_in(each, "name"),
          .is_current = flag_in(each, "current"),
          .is_offline = flag_in(each, "offline"),
          .lag = number_in(each, "lag"),
          .last_seen = std::chrono::duration_cast<std::chrono::milliseconds>(last_seen)};
}

struct api_error {
  std::int64_t code = 0;
  std::string text;
};

std::optional<api_error> parse_error(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element error;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  if (root["error"].get(error) != simdjson::SUCCESS) return std::nullopt;
  return api_error{static_cast<std::int64_t>(number_in(error, "err_code")), text_in(error, "description")};
}

tl::unexpected<nats_failure> failure(const std::string& stream, std::string_view json) {
  const auto error = parse_error(json);
  const std::string reason = error ? error->text : "an answer that was not understood: " + in_quotes(json);
  const bool may_pass =
      error && (error->code == error_no_peers || error->code == error_no_leader || error->code == error_peers_missing);
  return tl::make_unexpected(nats_failure{"NATS refuses the stream " + stream + ": " + reason, may_pass});
}

}  // namespace

std::string stream_configuration(const stream_settings& settings) {
  std::string out = "{";
  for (const member& each : members_of(settings)) {
    if (out.size() > 1) out += ',';
    out += json_text(each.name) + ':' + each.value;
  }
  return out + '}';
}

std::optional<stream_info> parse_stream_info(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element config;
  simdjson::dom::element state;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  if (root["config"].get(config) != simdjson::SUCCESS) return std::nullopt;
  if (root["state"].get(state) != simdjson::SUCCESS) return std::nullopt;
  stream_info info;
  info.configuration = simdjson::minify(config);
  info.replicas = static_cast<unsigned>(number_in(config, "num_replicas"));
  std::int64_t bytes_max = 0;  // -1: no bound
  if (config["max_bytes"].get(bytes_max) == simdjson::SUCCESS && bytes_max > 0) {
    info.bytes_max = static_cast<std::uint64_t>(bytes_max);
  }
  info.first_sequence = number_in(state, "first_seq");
  info.last_sequence = number_in(state, "last_seq");
  info.records = number_in(state, "messages");
  info.bytes = number_in(state, "bytes");
  simdjson::dom::element cluster;
  if (root["cluster"].get(cluster) != simdjson::SUCCESS) return info;
  info.leader = text_in(cluster, "leader");
  simdjson::dom::array replicas;
  if (cluster["replicas"].get(replicas) == simdjson::SUCCESS) {
    for (const simdjson::dom::element each : replicas) info.followers.push_back(parse_replica(each));
  }
  return info;
}

std::vector<stream_difference> compare_stream(const stream_settings& wanted, const stream_info& found) {
  std::vector<stream_difference> differences;
  simdjson::dom::parser parser;
  simdjson::dom::element config;
  if (parser.parse(found.configuration).get(config) != simdjson::SUCCESS) config = {};
  const auto value_of = [&config](std::string_view name, std::string_view absent) {
    simdjson::dom::element value;
    return config[name].get(value) == simdjson::SUCCESS ? std::string(simdjson::minify(value)) : std::string(absent);
  };
  for (const member& each : members_of(wanted)) {
    std::string value = value_of(each.name, each.absent);
    if (value != each.value) differences.push_back({std::string(each.name), each.value, std::move(value)});
  }
  for (const std::string_view name : foreign_members) {
    std::string value = value_of(name, {});
    if (!value.empty() && value != "false" && value != "0") {
      differences.push_back({std::string(name), {}, std::move(value)});
    }
  }
  return differences;
}

std::string stream_info_subject(const std::string& stream) {
  return "$JS.API.STREAM.INFO." + stream;
}

tl::expected<std::optional<stream_info>, nats_failure> read_stream_info(nats_connection& connection,
                                                                        const std::string& stream) {
  const auto answer = connection.request(stream_info_subject(stream), {}, api_time_max);
  if (!answer) return tl::make_unexpected(answer.error());
  const auto error = parse_error(*answer);
  if (error && error->code == error_stream_not_found) return std::optional<stream_info>();
  auto info = parse_stream_info(*answer);
  if (!info) return failure(stream, *answer);
  return info;
}

tl::expected<stream_info, nats_failure> create_stream(nats_connection& connection, const stream_settings& settings) {
  const std::string& stream = settings.names.stream;
  const auto answer =
      connection.request("$JS.API.STREAM.CREATE." + stream, stream_configuration(settings), api_time_max);
  if (!answer) return tl::make_unexpected(answer.error());
  auto info = parse_stream_info(*answer);
  if (!info) return failure(stream, *answer);
  return *std::move(info);
}

}  // namespace ordem::cluster
