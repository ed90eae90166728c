#include "app/commands/serve.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/engine/engine_host.hpp"
#include "app/identity/identity_source.hpp"
#include "app/observability/backup_metrics.hpp"
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
#include "http-edge/server/server.hpp"
#include "storage/log/log_changes.hpp"

namespace ordem::app {
namespace {

// The interval between checks for changed files.
constexpr auto reload_interval = std::chrono::seconds(1);
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
  void log_tracing();
  void warn_of_openness();
  http_edge::denial_lines denial_lines();
  std::function<std::unique_ptr<auth::authenticator>()> make_authenticator();
  bool start();
  bool open();
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
  std::unique_ptr<storage::store> store_;
  std::unique_ptr<engine_host> engine_;
  std::optional<storage::log_changes> changes_;
  // True once both are set. They stay until the server has stopped.
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
  if (!start() || !open()) return 1;
  const auto listeners = server_.listeners();
  for (const auto& each : listeners) {
    log_.info("listener", {{"name", std::string(to_string(each.kind))},
                           {"address", each.address},
                           {"port", std::int64_t{each.port}},
                           {"tls", uses_tls(settings_.server, each) ? "yes" : "no"}});
  }
  log_.info("listening", {{"address", listeners.front().address},
                          {"port", std::int64_t{listeners.front().port}},
                          {"position", static_cast<std::int64_t>(store_->log().last().number)}});
  wait_for_stop();
  stop();
  log_.info("stopped", {{"position", static_cast<std::int64_t>(store_->log().last().number)}});
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
  do {
    request = wait_for_signal(reload_interval);
    if (!request) report(reloads_.reload_changed());
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
  auto settings = settings_.store;
  settings.log_is_consumed = !settings_.postgres_url.empty();
  settings.on_error = [this](std::string_view what) {
    reports_.note_storage_error(what);
    log_.error(what);
  };
  settings.on_progress = [this](std::string_view what) { log_.info(what); };
  auto opened = storage::open_store(std::move(settings), clock_);
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
  backups_.attach(*store_);
  changes_.emplace(store_->log(), store_->view(), store_->log_id());
  server_.attach_engine(store_->view(), *changes_, store_->view(), gateway,
                        [&gateway](completion_queue& queue) { return gateway.add_queue(queue); });
  opened_.store(true);
  // With durability postgres, not before Postgres has the whole log: a read must not show an entry that it lacks.
  if (settings_.store.durability != storage::durability::postgres) status_.set_ready();
  gateway.start_consuming();
  return true;
}

void service::stop() {
  const auto deadline = std::chrono::steady_clock::now() + settings_.drain_timeout;
  const auto left = [deadline] {
    const auto rest =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return std::max(rest, std::chrono::milliseconds(0));
  };
  if (!server_.finish_drain(left())) log_.warning("some connections did not end in time and are closed");
  actors::gateway& gateway = engine_->gateway();
  if (!gateway.drain(left())) log_.warning("some messages were not executed in time; their clients must retry them");
  if (!gateway.finish_consuming(left())) log_.warning("Postgres lacks the end of the log; the next start continues");
  server_.stop();
  backups_.stop();
  engine_->end();
  store_->close();
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
  const auto stats = open ? store_->view().stats() : storage::view_stats{};
  const auto of_engine = open ? std::optional(engine_->stats()) : std::nullopt;
  const auto spans = tracing_.tracer ? tracing_.tracer->stats() : tracer_stats{};
  return metrics_text(server_.counters(), server_.access(), status_.now(), of_engine ? &*of_engine : nullptr,
                      open ? &store_->log() : nullptr, open ? &stats : nullptr, clock_.now(), clock_.stats(),
                      {read_process_stats(), read_disk_stats(settings_.store.folder), requests_.dropped(),
                       server_.feed_lag(), server_.feed_slowest_lag()},
                      tracing_.tracer ? &spans : nullptr) +
         backup_metrics_text(backups_.stats());
}

log_positions service::positions() const {
  return engine_->positions();
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
