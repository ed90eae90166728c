#include "app/settings/settings_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <thread>
#include <utility>

namespace ordem::app {
namespace {

constexpr std::size_t kib = std::size_t{1} << 10;
constexpr std::size_t mib = std::size_t{1} << 20;

}  // namespace

std::vector<setting> settings_table(settings& values) {
  auto& server = values.server;
  auto& store = values.store;
  auto& engine = values.engine;
  auto& identities = values.identities;
  const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
  server.io_threads = cores;
  engine.shards = std::max(1U, cores / 2);
  engine.worker_threads = engine.shards;
  store.folder = "data";

  // clang-format off
  std::vector<setting> table = {
      {"address", ip_address_option(server.address),
       "The IP address to listen on; 0.0.0.0 is all of IPv4, :: all of IPv4 and IPv6"},
      {"port", number_option(server.port, 0, 65535), "The port to listen on; 0 takes any free one"},
      {"auth",
       choice_option<auth_policy>(values.auth, {{"auto", auth_policy::automatic},
                                                {"required", auth_policy::required},
                                                {"none", auth_policy::none}}),
       "Whether requests need an identity; auto: if identities are given, which they must be off loopback"},
      {"auth-captures",
       choice_option<bool>(server.access.captures_are_open, {{"required", false}, {"none", true}}),
       "Whether calls of captures need an identity, where other requests do; with --captures-port, those by that port"},
      {"allowed-hosts", host_names_option(server.access.hosts),
       "The names in Host that are accepted beside IP addresses and localhost, separated by commas; * is any; by default "
       "none on loopback, else any"},
      {"operations-address", ip_address_option(server.operations_address), "The address of the listener for operations"},
      {"operations-port", optional_port_option(server.operations_port),
       "A port for operations alone: metrics and what is under /-/, which then leave the main port but for the health "
       "checks; by default none"},
      {"captures-address", ip_address_option(server.captures_address), "The address of the listener for captures"},
      {"captures-port", optional_port_option(server.captures_port),
       "A port for captures alone, which the main port serves, too; by default none"},
      {"tls-certificate", file_option(server.tls.certificate_file),
       "The certificate for TLS and the ones above it, as PEM; without it connections are not encrypted"},
      {"tls-key", file_option(server.tls.key_file), "The key of the certificate, as PEM without a pass phrase"},
      {"tls-client-ca", file_option(server.tls.client_ca_file),
       "The authorities, as PEM, whose client certificates are accepted; by default no certificate is asked for"},
      {"data-dir", folder_option(store.folder), "The folder for all data; created if it does not exist"},
      {"backup-root", folder_option(values.backup_root),
       "The folder below which ordem backup may make back-ups, an absolute path; by default none are made"},
      {"durability",
       choice_option<storage::durability>(store.durability, {{"fsync", storage::durability::fsync},
                                                             {"os", storage::durability::os},
                                                             {"postgres", storage::durability::postgres}}),
       "What a response waits for: fsync survives a power loss, os only a crash of the process, postgres the loss of "
       "the machine"},
      {"in-flight",
       choice_option<actors::in_flight_policy>(engine.in_flight, {{"join", actors::in_flight_policy::join},
                                                                  {"conflict", actors::in_flight_policy::conflict}}),
       "The response to a repeat while the first request is executing: the same response (join), or 409 (conflict)"},
      {"message-ttl", duration_option(engine.message_ttl), "How long a GUID and its outcome are kept"},
      {"capture-lease", duration_option(engine.captures.lease, {.zero = "for ever"}),
       "How long an allocated capture excludes other callers; 0: for ever"},
      {"capture-ttl", duration_option(engine.captures.ttl), "How long a capture is kept"},
      {"capture-max", size_option(server.captured_bytes_max, kib), "The largest response that can be captured"},
      {"max-body", size_option(server.body_bytes_max, kib), "The largest request body; in a batch, the largest line"},
      {"body-memory", size_option(server.body_memory_bytes_max, 64 * kib),
       "Memory for all requests that are being received; beyond it requests get 503"},
      {"response-memory", size_option(server.response_memory_bytes_max, 64 * kib),
       "Memory for all responses that clients have not read yet; beyond it requests get 503"},
      {"max-header", size_option(server.header_bytes_max, kib), "The largest request line and headers"},
      {"max-connections", number_option(server.connections_max, 1, 1'000'000),
       "The most connections at once; fewer where the limit of open files is low"},
      {"connections-per-address", number_option(server.connections_per_address_max, 0, 1'000'000),
       "The most connections of one client address at once; a /64 of IPv6 counts as one; 0: no bound"},
      {"feed-readers", number_option(server.feed_readers_max, 1, 1'000'000),
       "The most readers of the change feed at once; more get 503"},
      {"max-in-flight", number_option(engine.in_flight_max, 1, 1'000'000),
       "The most writes in flight; more get 503"},
      {"tenant-rate", number_option(server.access.tenants.rate, 0, http_edge::tenant_settings::rate_max),
       "The most requests a second of each tenant; more get 429, and batches wait; 0: no limit"},
      {"tenant-in-flight", number_option(server.access.tenants.in_flight_max, 0, 1'000'000),
       "The most requests of each tenant that are executed at once; more get 429, and batches wait; 0: no limit"},
      {"metrics-tenants", number_option(server.access.tenants.named_in_metrics, 0, 1000),
       "How many tenants metrics name; the others are counted together"},
      {"live-orders", number_option(engine.live_orders_max, 1, 100'000'000),
       "The most orders kept in memory between their changes"},
      {"idle-timeout", duration_option(server.idle_timeout), "How long a connection may have no request"},
      {"request-timeout", duration_option(server.request_timeout),
       "How long a request may take to arrive, or a response to be sent; for a batch, how long no byte may move"},
      {"drain-timeout", duration_option(values.drain_timeout), "How long a stop waits for open requests"},
      {"io-threads", number_option(server.io_threads, 1, 1024), "Threads for connections"},
      {"worker-threads", number_option(engine.worker_threads, 1, 1024),
       "Threads for the actors that no I/O thread runs, besides the two that write the log"},
      {"shards", number_option(engine.shards, 1, 1024), "Dedupe shards"},
      {"block-cache", size_option(store.block_cache_bytes, mib), "Memory for data read from disk"},
      {"write-buffer", size_option(store.write_buffer_bytes, 4 * mib), "Memory for data not yet in sorted files"},
      {"log-entries", number_option(store.log_entries_kept, 1, std::uint64_t{1} << 40),
       "The least number of log entries that are kept"},
      {"keys", text_option(identities.keys_file, "FILE"),
       "The keys file: who may come in by an API key or a client certificate (ordem key --help)"},
      {"jwks", text_option(identities.key_set, "FILE|URL"),
       "The JWK set whose keys have signed bearer tokens: a file, or an https URL"},
      {"jwt-issuer", text_option(identities.tokens.issuer, "TEXT"), "The issuer (iss) that tokens must have"},
      {"jwt-audience", text_option(identities.tokens.audience, "TEXT"), "The audience (aud) that tokens must have"},
      {"jwt-leeway", duration_option(identities.tokens.leeway, {.most = std::chrono::hours(1), .zero = "none"}),
       "By how much the issuer's clock may differ; 0: not at all"},
      {"jwt-name-claim", text_option(identities.tokens.name_claim, "CLAIM"), "The claim with the identity's name"},
      {"jwt-tenant-claim", text_option(identities.tokens.tenant_claim, "CLAIM"), "The claim with its tenant"},
      {"jwt-scope-claim", text_option(identities.tokens.scope_claim, "CLAIM"), "The claim with its scopes"},
      {"postgres-url", postgres_url_option(values.postgres_url),
       "The database that the log is replicated to, behind the responses; by default none"},
      {"persist-backlog-max", size_option(engine.consumer.backlog_bytes_max, kib),
       "How far the log may be ahead of Postgres; beyond it writes get 503"},
      {"log-format",
       choice_option<log_format>(values.log_format, {{"auto", log_format::automatic},
                                                     {"json", log_format::json},
                                                     {"text", log_format::text}}),
       "The format of the program's own log, on standard error; auto is text on a terminal, else JSON lines"},
      {"log-level", word_option(values.log_level, {"debug", "info", "warning", "error"}),
       "The lowest level that is logged; debug logs every refused request with its reason"},
      {"request-log",
       choice_option<request_log_level>(values.request_log, {{"off", request_log_level::off},
                                                             {"errors", request_log_level::errors},
                                                             {"all", request_log_level::all}}),
       "The requests that are logged on standard output, a JSON line each; errors: those with a status from 400 on"},
  };
  // clang-format on
  for (setting& each : cluster_settings_table(values.cluster)) table.push_back(std::move(each));
  table.push_back({"node", text_option(values.node.name, "NAME"),
                   "The name of this node, which no other node of the cluster has; by default the machine's"});
  table.push_back(
      {"node-address", text_option(values.node.address, "HOST:PORT"),
       "Where others reach this node by HTTP, for ordem cluster status; by default the address and port that it "
       "listens on, if that is one address"});
  return table;
}

std::vector<setting> cluster_settings_table(cluster_settings& values) {
  cluster::nats_settings& nats = values.nats;
  return {
      {"cluster", text_option(values.name, "NAME"), "The cluster's name: 1 to 32 of a to z, 0 to 9 and -"},
      {"nats", nats_urls_option(values.nats_urls),
       "The servers of NATS: nats://user:password@host:4222 or tls://..., with commas between them"},
      {"nats-credentials", file_option(nats.credentials_file),
       "The credentials for NATS, a JWT with its seed; by default those of the URLs"},
      {"nats-ca", file_option(nats.ca_file),
       "The authorities, as PEM, of the certificates of the servers of NATS; by default the system's"},
      {"nats-certificate", file_option(nats.certificate_file),
       "The certificate for NATS and the ones above it, as PEM; by default none is shown"},
      {"nats-key", file_option(nats.key_file), "The key of that certificate, as PEM without a pass phrase"},
  };
}

std::string environment_name(const std::string& name) {
  std::string variable = std::string(environment_prefix) + name;
  for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return variable;
}

std::string with_environment_name(const std::string& help, const std::string& name) {
  return fmt::format("{} [{}]", help, environment_name(name));
}

}  // namespace ordem::app
