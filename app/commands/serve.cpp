#include "app/commands/serve.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tl/expected.hpp>
#include <vector>

#include "app/commands/cluster_log.hpp"
#include "app/engine/engine_host.hpp"
#include "app/engine/node_service.hpp"
#include "app/identity/identity_source.hpp"
#include "app/observability/backup_metrics.hpp"
#include "app/observability/cluster_metrics.hpp"
#include "app/observability/logger.hpp"
#include "app/observability/metrics.hpp"
#include "app/observability/process_stats.hpp"
#include "app/observability/request_log.hpp"
#include "app/process/backup_maker.hpp"
#include "app/process/file_limit.hpp"
#include "app/process/reload_list.hpp"
#include "app/process/server_reports.hpp"
#include "app/process/signals.hpp"
#include "app/process/system_clock.hpp"
#include "app/process/version.hpp"
#include "app/tracing/start_tracing.hpp"
#include "cluster/nats/cluster_names.hpp"
#include "cluster/nats/nats_connection.hpp"
#include "cluster/nats/stream_settings.hpp"
#include "cluster/store/replicated_store.hpp"
#include "http-edge/server/server.hpp"
#include "storage/folder/data_folder.hpp"
#include "storage/log/log_changes.hpp"

namespace ordem::app {
namespace {

// The interval between checks for changed files.
constexpr auto reload_interval = std::chrono::seconds(1);
// The same for the state of a node of a cluster.
constexpr auto node_interval = std::chrono::milliseconds(100);
// The pause before NATS is tried again at the start of a node.
constexpr auto nats_retry_after = std::chrono::milliseconds(500);
// The time for which a node that ends tries to release the log. Without NATS it would try in vain.
constexpr auto retire_time = std::chrono::milliseconds(5000);
// The time that a stop waits for spans to be sent, after everything else.
constexpr auto trace_flush_time = std::chrono::seconds(2);

void log_settings(logger& log, const settings& values) {
  log.info("starting ordem", {{"version", std::string(version_text)}});
  for (const auto& [name, value] : values.effective) log.info("setting", {{"name", name}, {"value", value}});
}

http_edge::server_settings server_settings_of(const settings& values) {
  http_edge::server_settings made = values.server;
  made.patient_messages_max = values.engine.in_flight_max / 4 * 3;
  return made;
}

// Returns where other machines reach the HTTP of this node, or an empty text if only its administrator knows.
std::string http_address_of(const settings& values, const http_edge::endpoint_settings& main) {
  if (!values.node.address.empty()) return values.node.address;
  if (is_wildcard(main.address)) return {};
  const bool is_ipv6 = main.address.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + main.address + "]" : main.address) + ":" + std::to_string(main.port);
}

// What is wrong with a cluster, and whether that may end by itself.
struct cluster_error {
  std::string reason;
  bool may_end = true;
};

// Returns the id of the cluster, from the first record of its log; if that was trimmed, from the data folder of the
// node.
tl::expected<std::string, cluster_error> read_cluster_id(const cluster_settings& at,
                                                         const std::filesystem::path& data_folder) {
  const auto failed = [](std::string why) { return tl::make_unexpected(cluster_error{std::move(why)}); };
  const auto refused = [](std::string why) { return tl::make_unexpected(cluster_error{std::move(why), false}); };
  const auto connected = connect_to_nats(at);
  if (!connected) return failed(connected.error());
  cluster::nats_connection& connection = **connected;
  if (connection.payload_bytes_max() < cluster::nats_payload_bytes_min) {
    return refused("the servers of NATS take messages of at most " + std::to_string(connection.payload_bytes_max()) +
                   " bytes, which is less than a record of the log may have: set max_payload to 8MB");
  }
  const std::string stream = cluster::names_of(at.name).stream;
  const auto info = cluster::read_stream_info(connection, stream);
  if (!info) return failed(info.error().text);
  if (!*info) return refused(no_cluster_error(at.name));
  const auto genesis = read_genesis(connection, stream);
  if (!genesis) return failed(genesis.error());
  if (*genesis) return (*genesis)->cluster_id;
  if ((*info)->first_sequence <= 1) {
    return refused("the stream " + stream +
                   " does not have the first record of the log; `ordem cluster init` writes it");
  }
  const auto own = storage::read_folder_format(data_folder);
  if (!own || !own->is_copy) {
    return refused("the stream " + stream + " begins at sequence " + std::to_string((*info)->first_sequence) +
                   ", since the log was trimmed, and " + data_folder.string() +
                   " is no data folder of a node: begin with a back-up of another node");
  }
  return own->log_id;
}

class service {
 public:
  explicit service(const settings& values)
      : settings_(values),
        log_(values.log_format, values.log_level),
        identities_(values.identities, log_),
        clock_(machine_clocks(), [this](clock_event what, milliseconds by) { report_clock_event(what, by); }),
        requests_(values.request_log, log_),
        reports_(values.effective, !values.postgres_url.empty()),
        backups_(values.backup_root, [this](const http_edge::backup_state& ended) { report_backup(ended); }),
        tracing_(start_tracing(values.otel, tracer_events_of(log_))),
        server_(
            server_settings_of(values),
            {&clock_, &status_, [this] { return metrics(); }, [this] { return positions(); },
             [this](const std::string& why) { log_.warning("cannot accept connections; retrying", {{"reason", why}}); },
             denial_lines(), requests_.is_active() ? &requests_ : nullptr, tracing_.tracer.get(), make_authenticator(),
             &backups_, &reports_}) {}

  int run();
  // Returns whether a thread waits for a collector that does not respond, so that the process is to end without it. All
  // else has ended. REQUIRES: run() has returned.
  bool exits_at_once() const noexcept { return exits_at_once_; }

 private:
  static tracer_events tracer_events_of(logger& log);
  // REQUIRES: opened_.
  storage::store& data() const noexcept { return node_ ? node_->store() : *store_; }
  const engine_host& engine() const noexcept { return node_ ? node_->engine() : *engine_; }
  void log_tracing();
  void warn_of_openness();
  http_edge::denial_lines denial_lines();
  std::function<std::unique_ptr<auth::authenticator>()> make_authenticator();
  bool start();
  bool open();
  bool open_alone(storage::store_settings store);
  bool open_node(storage::store_settings store);
  std::optional<std::string> wait_for_cluster_id();
  void attach(storage::store& opened, message_port& messages,
              const std::function<std::uint32_t(completion_queue&)>& add_queue, read_gate* gate);
  void wait_for_stop();
  void reload();
  void report(const std::vector<reload_result>& results);
  void stop();
  void report_clock_event(clock_event what, milliseconds by);
  void report_backup(const http_edge::backup_state& ended);
  std::string metrics() const;
  log_positions positions() const;

  const settings settings_;
  logger log_;
  identity_source identities_;
  // When a line about the clock was last logged. Used only in the clock's callback, which never runs twice at once.
  std::optional<std::chrono::steady_clock::time_point> clock_reported_at_;
  engine_clock clock_;
  http_edge::service_status status_;
  reload_list reloads_;
  request_log requests_;
  server_reports reports_;
  backup_maker backups_;
  // Destroyed in reverse order: the engine first, then the store that it uses, then the server that it replies to, then
  // the tracer of both.
  started_tracing tracing_;
  http_edge::server server_;
  // Without a cluster.
  std::unique_ptr<storage::store> store_;
  std::unique_ptr<engine_host> engine_;
  // In a cluster.
  std::unique_ptr<node_service> node_;
  std::optional<storage::log_changes> changes_;
  // True once either is set. They stay until the server has stopped.
  std::atomic<bool> opened_{false};
  bool exits_at_once_ = false;
};

int service::run() {
  log_settings(log_, settings_);
  log_tracing();
  warn_of_openness();
  if (is_stop_pending()) {
    log_.info("stopped before listening");
    return 0;
  }
  if (!start()) return 1;
  if (!open()) {
    if (!is_stop_pending()) return 1;
    log_.info("stopped before the data was open");
    return 0;
  }
  const auto listeners = server_.listeners();
  for (const auto& each : listeners) {
    log_.info("listener", {{"name", std::string(to_string(each.kind))},
                           {"address", each.address},
                           {"port", std::int64_t{each.port}},
                           {"tls", uses_tls(settings_.server, each) ? "yes" : "no"}});
  }
  log_.info("listening", {{"address", listeners.front().address},
                          {"port", std::int64_t{listeners.front().port}},
                          {"position", static_cast<std::int64_t>(data().log().last().number)}});
  if (node_) node_->start();
  wait_for_stop();
  stop();
  log_.info("stopped", {{"position", static_cast<std::int64_t>(data().log().last().number)}});
  return 0;
}

tracer_events service::tracer_events_of(logger& log) {
  return {[&log](std::string_view why) {
            log.warning("cannot send spans; retrying, and dropping what does not fit", {{"reason", std::string(why)}});
          },
          [&log] { log.info("sending spans again"); }};
}

void service::log_tracing() {
  for (const std::string& each : tracing_.warnings) log_.warning("tracing", {{"reason", each}});
  if (tracing_.tracer == nullptr) return;
  log_.info("tracing", {{"endpoint", without_secrets(settings_.otel.tracing->to.url)}});
}

void service::warn_of_openness() {
  if (const auto open = open_address(settings_)) {
    log_.warning(
        "no request needs an identity (--auth none): everyone who reaches the address may read and write all data",
        {{"setting", *open}});
  }
  if (settings_.identities.any() && settings_.server.access.captures_are_open) {
    const http_edge::server_settings& server = settings_.server;
    log_.warning(
        "captures need no identity (--auth-captures none): everyone who reaches the address may allocate, record and "
        "release them",
        {{"address", server.captures_port ? server.captures_address : server.address}});
  }
}

http_edge::denial_lines service::denial_lines() {
  return {[this](const http_edge::denied_request& what) {
            log_.warning("request denied", {{"reason", std::string(what.reason)},
                                            {"address", std::string(what.address)},
                                            {"name", std::string(what.name)}});
          },
          [this](std::uint64_t count) {
            log_.warning("more requests were denied than are logged", {{"count", static_cast<std::int64_t>(count)}});
          }};
}

std::function<std::unique_ptr<auth::authenticator>()> service::make_authenticator() {
  if (!settings_.identities.any()) return nullptr;
  return [this] { return identities_.make_authenticator(); };
}

void service::wait_for_stop() {
  std::optional<signal_request> request;
  auto reloads_at = std::chrono::steady_clock::now() + reload_interval;
  do {
    request = wait_for_signal(node_ ? node_interval : reload_interval);
    if (node_) node_->update_status();
    if (const auto now = std::chrono::steady_clock::now(); !request && now >= reloads_at) {
      report(reloads_.reload_changed());
      reloads_at = now + reload_interval;
    }
    if (request == signal_request::reload) reload();
  } while (!request || request == signal_request::reload);
  unblock_stop_signals();
  server_.begin_drain();
  log_.info("draining", {{"signal", request == signal_request::interrupt ? "SIGINT" : "SIGTERM"}});
}

// Reads again what is in the files that settings name. A failure leaves what was read before. Settings change with a
// restart.
void service::reload() {
  log_.info("SIGHUP: reading keys and certificates again");
  identities_.reload();
  report(reloads_.reload_all());
}

void service::report(const std::vector<reload_result>& results) {
  for (const auto& [name, error] : results) {
    if (error.empty()) {
      log_.info("reloaded", {{"what", name}});
    } else {
      log_.error("cannot reload; what was read before stays in use", {{"what", name}, {"reason", error}});
    }
  }
}

bool service::start() {
  if (const auto loaded = identities_.load(); !loaded) {
    log_.error(loaded.error());
    return false;
  }
  identities_.watch();
  if (const auto& tls = settings_.server.tls; tls.enabled()) {
    reloadable files{"TLS certificate", {tls.certificate_file, tls.key_file}, [this] { return server_.reload_tls(); }};
    if (!tls.client_ca_file.empty()) files.files.emplace_back(tls.client_ca_file);
    reloads_.add(std::move(files));
  }
  if (const auto started = server_.start(); !started) {
    log_.error(started.error());
    return false;
  }
  return true;
}

bool service::open() {
  auto store = settings_.store;
  store.log_is_consumed = !settings_.postgres_url.empty();
  store.on_error = [this](std::string_view what) {
    reports_.note_storage_error(what);
    log_.error(what);
  };
  store.on_progress = [this](std::string_view what) { log_.info(what); };
  return settings_.cluster.name.empty() ? open_alone(std::move(store)) : open_node(std::move(store));
}

bool service::open_alone(storage::store_settings store) {
  auto opened = storage::open_store(std::move(store), clock_);
  if (!opened) {
    log_.error(opened.error().message);
    return false;
  }
  store_ = std::move(*opened);
  engine_ = std::make_unique<engine_host>(settings_, store_->log_id(),
                                          engine_surroundings{.view = store_->view(),
                                                              .clock = clock_,
                                                              .tracer = tracing_.tracer.get(),
                                                              .log = log_,
                                                              .reports = reports_,
                                                              .status = status_},
                                          [this] { server_.on_visible(); });
  engine_->begin(store_->log());
  actors::gateway& gateway = engine_->gateway();
  attach(*store_, gateway, [&gateway](completion_queue& queue) { return gateway.add_queue(queue); }, nullptr);
  // With durability postgres, not before Postgres has the whole log: a read must not show an entry that it lacks.
  if (settings_.store.durability != storage::durability::postgres) status_.set_ready();
  gateway.start_consuming();
  return true;
}

bool service::open_node(storage::store_settings store) {
  const auto id = wait_for_cluster_id();
  if (!id) return false;
  auto opened = cluster::open_replicated_store(std::move(store), *id, clock_);
  if (!opened) {
    log_.error(opened.error().message);
    return false;
  }
  node_ = std::make_unique<node_service>(settings_, std::move(*opened),
                                         http_address_of(settings_, server_.listeners().front()),
                                         node_surroundings{.clock = clock_,
                                                           .tracer = tracing_.tracer.get(),
                                                           .log = log_,
                                                           .reports = reports_,
                                                           .status = status_,
                                                           .on_visible = [this] { server_.on_visible(); }});
  cluster::forwarding_port& port = node_->port();
  attach(node_->store(), port, [&port](completion_queue& queue) { return port.add_queue(queue); }, &node_->reads());
  return true;
}

// Returns nullopt if there is no such cluster, or if the server is to stop. Tries again while NATS cannot be used.
std::optional<std::string> service::wait_for_cluster_id() {
  std::string reported;
  while (!is_stop_pending()) {
    auto id = read_cluster_id(settings_.cluster, settings_.store.folder);
    if (id) return std::move(*id);
    const auto& [reason, may_end] = id.error();
    if (!may_end) {
      log_.error(reason);
      return std::nullopt;
    }
    if (reason != reported) log_.warning("waiting for NATS", {{"reason", reason}});
    reported = reason;
    std::this_thread::sleep_for(nats_retry_after);
  }
  return std::nullopt;
}

void service::attach(storage::store& opened, message_port& messages,
                     const std::function<std::uint32_t(completion_queue&)>& add_queue, read_gate* gate) {
  backups_.attach(opened);
  changes_.emplace(opened.log(), opened.view(), opened.log_id());
  server_.attach_engine(opened.view(), *changes_, opened.view(), messages, add_queue, gate);
  opened_.store(true);
}

void service::stop() {
  const auto deadline = std::chrono::steady_clock::now() + settings_.drain_timeout;
  const auto left = [deadline] {
    const auto rest =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return std::max(rest, std::chrono::milliseconds(0));
  };
  // First, so that the next owner takes what still arrives here.
  if (node_) node_->retire(std::min<std::chrono::milliseconds>(left(), retire_time));
  if (!server_.finish_drain(left())) log_.warning("some connections did not end in time and are closed");
  if (engine_) {
    actors::gateway& gateway = engine_->gateway();
    if (!gateway.drain(left())) log_.warning("some messages were not executed in time; their clients must retry them");
    if (!gateway.finish_consuming(left())) log_.warning("Postgres lacks the end of the log; the next start continues");
  }
  server_.stop();
  backups_.stop();
  if (node_) {
    node_->close();
  } else {
    engine_->end();
    store_->close();
  }
  if (tracing_.tracer && !tracing_.tracer->stop(trace_flush_time)) {
    log_.warning("the collector of traces does not respond; its last spans are dropped");
    requests_.finish();  // its destructor will not be called
    exits_at_once_ = true;
  }
}

// Logs at most one line a minute; the metric counts every step.
void service::report_clock_event(clock_event what, milliseconds by) {
  constexpr auto interval = std::chrono::minutes(1);
  const auto now = std::chrono::steady_clock::now();
  if (clock_reported_at_ && now - *clock_reported_at_ < interval) return;
  clock_reported_at_ = now;
  const logger::field seconds{"seconds", std::chrono::duration_cast<std::chrono::seconds>(by).count()};
  switch (what) {
    case clock_event::stepped_forward:
      log_.warning("the machine's clock was set forward; no record expires because of it", {seconds});
      break;
    case clock_event::stepped_backward:
      log_.warning("the machine's clock was set back; timestamps advance at half speed until it has caught up",
                   {seconds});
      break;
    case clock_event::unconfirmed_at_start:
      log_.info("the time since the newest record is unknown; no record expires because of it", {seconds});
      break;
    case clock_event::behind_at_start:
      log_.warning(
          "the machine's clock is behind the newest record; timestamps advance at half speed until it has caught up",
          {seconds});
      break;
  }
}

void service::report_backup(const http_edge::backup_state& ended) {
  if (ended.status == http_edge::backup_status::made) {
    log_.info("back-up made", {{"folder", ended.folder},
                               {"position", static_cast<std::int64_t>(ended.last.number)},
                               {"files", static_cast<std::int64_t>(ended.files)},
                               {"bytes", static_cast<std::int64_t>(ended.bytes)},
                               {"bytes_linked", static_cast<std::int64_t>(ended.bytes_linked)}});
  } else {
    log_.error("the back-up failed", {{"folder", ended.folder}, {"reason", ended.reason}});
  }
}

std::string service::metrics() const {
  const bool open = opened_.load();
  const auto stats = open ? data().view().stats() : storage::view_stats{};
  const auto of_engine = open ? std::optional(engine().stats()) : std::nullopt;
  const auto spans = tracing_.tracer ? tracing_.tracer->stats() : tracer_stats{};
  return metrics_text(server_.counters(), server_.access(), status_.now(), of_engine ? &*of_engine : nullptr,
                      open ? &data().log() : nullptr, open ? &stats : nullptr, clock_.now(), clock_.stats(),
                      {read_process_stats(), read_disk_stats(settings_.store.folder), requests_.dropped(),
                       server_.feed_lag(), server_.feed_slowest_lag()},
                      tracing_.tracer ? &spans : nullptr) +
         backup_metrics_text(backups_.stats()) + (open && node_ ? cluster_metrics_text(node_->stats()) : std::string());
}

log_positions service::positions() const {
  return engine().positions();
}

}  // namespace

int serve(const settings& requested) {
  ignore_other_signals();
  const std::uint64_t limit = raise_file_limit();
  const auto shares = share_files(limit, requested.server);
  if (!shares) {
    logger(requested.log_format, requested.log_level).error(shares.error());
    return 1;
  }
  settings used = requested;
  apply(*shares, used);
  if (used.server.connections_max < requested.server.connections_max) {
    logger(requested.log_format, requested.log_level)
        .warning(
            "the limit of open files lowers --max-connections; raise the limit (RLIMIT_NOFILE: LimitNOFILE= in a "
            "systemd unit, ulimit -Hn)",
            {{"limit", static_cast<std::int64_t>(limit)},
             {"asked", static_cast<std::int64_t>(requested.server.connections_max)},
             {"used", static_cast<std::int64_t>(used.server.connections_max)}});
  }
  service served(used);
  const int code = served.run();
  if (served.exits_at_once()) std::_Exit(code);
  return code;
}

}  // namespace ordem::app
