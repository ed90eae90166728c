#include "app/observability/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "app/process/version.hpp"
#include "engine/codec/problem.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::app {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class metric_list {
 public:
  using label = std::pair<std::string, std::string>;

  void add(MetricType type, const std::string& name, const std::string& help, double value,
           const std::vector<label>& labels = {}) {
    ClientMetric& metric = add_metric(type, name, help, labels);
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  }
  void counter(const std::string& name, const std::string& help, std::uint64_t value,
               const std::vector<label>& labels = {}) {
    add(MetricType::Counter, name, help, static_cast<double>(value), labels);
  }
  void gauge(const std::string& name, const std::string& help, double value, const std::vector<label>& labels = {}) {
    add(MetricType::Gauge, name, help, value, labels);
  }

  // Each bucket of Prometheus includes the counts of the buckets below it.
  template <class Histogram>
  void histogram(const std::string& name, const std::string& help, const Histogram& durations) {
    histogram(name, help, std::span(&durations, 1), std::identity(), {});
  }
  // The sum of the histograms that `of` returns for the parts.
  template <class Part, class Of>
  void histogram(const std::string& name, const std::string& help, std::span<const Part> parts, Of of,
                 const std::vector<label>& labels) {
    using Histogram = std::remove_cvref_t<decltype(of(parts.front()))>;
    constexpr double us_per_second = 1e6;
    ClientMetric& metric = add_metric(MetricType::Histogram, name, help, labels);
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < Histogram::buckets; ++i) {
      for (const Part& part : parts) cumulative += of(part).count(i);
      const double bound = i < Histogram::bounds_us.size()
                               ? static_cast<double>(Histogram::bounds_us[i]) / us_per_second
                               : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({cumulative, bound});
    }
    metric.histogram.sample_count = cumulative;
    for (const Part& part : parts) metric.histogram.sample_sum += static_cast<double>(of(part).sum_us());
    metric.histogram.sample_sum /= us_per_second;
  }

  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  ClientMetric& add_metric(MetricType type, const std::string& name, const std::string& help,
                           const std::vector<label>& labels) {
    if (families_.empty() || families_.back().name != name) families_.push_back({name, help, type, {}});
    ClientMetric& metric = families_.back().metric.emplace_back();
    for (const auto& [key, value] : labels) metric.label.push_back({key, value});
    return metric;
  }

  std::vector<MetricFamily> families_;
};

void add_clock(metric_list& to, const clock_stats& clock) {
  to.counter("ordem_clock_steps_total", "Times that the machine's clock was set.", clock.steps_forward,
             {{"direction", "forward"}});
  to.counter("ordem_clock_steps_total", "Times that the machine's clock was set.", clock.steps_backward,
             {{"direction", "backward"}});
  to.gauge("ordem_clock_lead_seconds", "How far the times of records are ahead of the machine's clock.",
           std::chrono::duration<double>(clock.lead).count());
}

using http_edge::request_counts;

// Calls visit(route, method, status, count) for each combination that has occurred. The method and the status are
// indexes of the lists in request_counts.
template <class Visit>
void for_each_count(const http_edge::edge_counters& edge, Visit visit) {
  for (std::size_t i = 0; i < http_edge::resource_count; ++i) {
    const auto route = static_cast<http_edge::resource>(i);
    for (std::size_t method = 0; method < request_counts::methods.size(); ++method) {
      for (std::size_t status = 0; status < request_counts::statuses.size(); ++status) {
        std::uint64_t count = 0;
        for (const auto& each : edge.requests) count += each.count(route, method, status);
        if (count > 0) visit(route, method, status, count);
      }
    }
  }
}

constexpr const char* status_classes[] = {"", "1xx", "2xx", "3xx", "4xx", "5xx"};

void add_requests(metric_list& to, const http_edge::edge_counters& edge) {
  std::array<std::uint64_t, std::size(status_classes)> by_class{};
  std::array<std::uint64_t, http_edge::resource_count> by_route{};
  for_each_count(edge, [&](http_edge::resource route, std::size_t, std::size_t status, std::uint64_t count) {
    by_class[request_counts::statuses[status] / 100] += count;
    by_route[static_cast<std::size_t>(route)] += count;
  });
  for (std::size_t i = 2; i < by_class.size(); ++i) {
    to.counter("ordem_http_responses_total", "HTTP responses, by class of status.", by_class[i],
               {{"status", status_classes[i]}});
  }
  for_each_count(edge, [&](http_edge::resource route, std::size_t method, std::size_t status, std::uint64_t count) {
    to.counter("ordem_http_requests_total", "HTTP requests answered, by route, method and status.", count,
               {{"route", std::string(path_template(route))},
                {"method", std::string(request_counts::methods[method])},
                {"status", std::to_string(request_counts::statuses[status])}});
  });
  for (const codec::problem_row& row : codec::problem_table()) {
    std::uint64_t count = 0;
    for (const auto& each : edge.requests) count += each.count(row.which);
    to.counter("ordem_http_problems_total", "Responses that are a problem, by its type.", count,
               {{"problem", std::string(row.slug)}});
  }
  for (const codec::problem_row& row : codec::problem_table()) {
    to.counter("ordem_http_batch_line_problems_total", "Lines of batches whose verdict is a problem, by its type.",
               edge.batch_problems[static_cast<std::size_t>(row.which)], {{"problem", std::string(row.slug)}});
  }
  const std::span<const request_counts> all(edge.requests);
  for (std::size_t i = 0; i < by_route.size(); ++i) {
    if (by_route[i] == 0) continue;
    const auto route = static_cast<http_edge::resource>(i);
    to.histogram("ordem_http_response_seconds", "From the complete request to the rendered response, by route.", all,
                 [route](const request_counts& of) -> const auto& { return of.durations(route); },
                 {{"route", std::string(path_template(route))}});
  }
}

void add_edge(metric_list& to, const http_edge::edge_counters& edge) {
  add_requests(to, edge);
  for (const std::size_t i : {2U, 4U, 5U}) {
    to.counter("ordem_http_batch_lines_total", "Lines of batches, by class of the status of their verdicts.",
               edge.batch_lines[i], {{"status", status_classes[i]}});
  }
  to.histogram("ordem_http_refusal_seconds", "From the header of a message that is refused to its response.",
               edge.refusal_time);
  to.counter("ordem_http_overload_refusals_total", "Messages refused because too many arrive.", edge.refused_by_delay,
             {{"reason", "delay"}});
  to.counter("ordem_http_overload_refusals_total", "Messages refused because too many arrive.", edge.refused_by_bound,
             {{"reason", "in_flight"}});
  to.gauge("ordem_http_overloaded_threads", "I/O threads that refuse messages because they take too long.",
           static_cast<double>(edge.overloaded_threads.load()));
  to.gauge("ordem_http_held_back_connections", "Connections whose next request is left unread.",
           static_cast<double>(edge.held_back.load()));
  to.histogram("ordem_http_loop_delay_seconds", "From the arrival of bytes to their being read, sampled.",
               edge.loop_delay);
  to.gauge("ordem_http_connections", "Open connections.", static_cast<double>(edge.connections.now()));
  to.counter("ordem_http_connections_accepted_total", "Connections accepted.", edge.connections_accepted);
  to.counter("ordem_http_connections_refused_total", "Connections over --max-connections.", edge.connections_refused);
  to.counter("ordem_http_connections_refused_by_address_total", "Connections over --connections-per-address.",
             edge.connections_refused_by_address);
  to.counter("ordem_http_accept_failures_total", "Failed attempts to accept a connection, at most 10 a second.",
             edge.accept_failures);
  constexpr const char* handshakes = "TLS handshakes, by result.";
  to.counter("ordem_tls_handshakes_total", handshakes, edge.tls_handshakes_full, {{"result", "full"}});
  to.counter("ordem_tls_handshakes_total", handshakes, edge.tls_handshakes_resumed, {{"result", "resumed"}});
  to.counter("ordem_tls_handshakes_total", handshakes, edge.tls_handshakes_failed, {{"result", "failed"}});
  if (const auto end = edge.tls_certificate_end_s.load(); end != 0) {
    to.gauge("ordem_tls_certificate_end_seconds", "When the certificate in use expires, in seconds since 1970.",
             static_cast<double>(end));
  }
  to.gauge("ordem_http_body_memory_bytes", "Memory of requests that are being received; see --body-memory.",
           static_cast<double>(edge.body_memory.used()));
  to.gauge("ordem_http_response_memory_bytes", "Memory of responses that clients have not read; see --response-memory.",
           static_cast<double>(edge.response_memory.used()));
  to.counter("ordem_http_memory_refusals_total", "Reservations that a memory budget refused.",
             edge.body_memory.refusals(), {{"budget", "body"}});
  to.counter("ordem_http_memory_refusals_total", "Reservations that a memory budget refused.",
             edge.response_memory.refusals(), {{"budget", "response"}});
  to.counter("ordem_http_request_timeouts_total", "Requests that did not arrive within --request-timeout.",
             edge.timeouts);
}

void add_feed(metric_list& to, const http_edge::feed_counters& feed, const own_stats& own) {
  to.gauge("ordem_feed_readers", "Readers of the change feed: streams, and pages that are read or wait.",
           static_cast<double>(feed.readers.load()));
  to.counter("ordem_feed_refused_total", "Readers over --feed-readers.", feed.refused);
  to.counter("ordem_feed_events_total", "Events sent, to all readers together.", feed.events);
  to.counter("ordem_feed_reads_behind_total", "Reads of the log for one reader that is behind the newest events.",
             feed.reads_behind);
  for (std::size_t i = 0; i < feed.cuts.size(); ++i) {
    to.counter("ordem_feed_cut_off_total", "Streams that the server ended in the middle, by reason.", feed.cuts[i],
               {{"reason", std::string(http_edge::feed_cut_names[i])}});
  }
  to.gauge("ordem_feed_lag_entries", "Entries that reads show and the feed has not rendered yet; 0 without a reader.",
           static_cast<double>(own.feed_lag));
  to.gauge("ordem_feed_slowest_lag_entries",
           "Entries that reads show and the slowest stream of the feed has not been sent; 0 without a stream.",
           static_cast<double>(own.feed_slowest_lag));
}

void add_access(metric_list& to, const http_edge::access_state& access) {
  for (std::size_t i = 0; i < http_edge::denial_cause::count; ++i) {
    const auto cause = http_edge::denial_cause::at(i);
    to.counter("ordem_auth_denials_total", "Requests that were not authorised, by reason.", access.denials.count(cause),
               {{"reason", std::string(cause.name())}});
  }
  if (!access.tenants.is_active()) return;
  const auto counts = access.tenants.read_counts();
  const auto labels = [&](const auto& each) {
    std::vector<metric_list::label> made;
    if (access.tenants.names_tenants()) made.emplace_back("tenant", each.tenant);
    return made;
  };
  for (const auto& each : counts) {
    to.counter("ordem_tenant_requests_total", "Requests within the bounds of their tenant, and lines of batches.",
               each.requests, labels(each));
  }
  for (const auto& each : counts) {
    for (std::size_t i = 0; i < http_edge::tenant_refusals; ++i) {
      auto with_reason = labels(each);
      with_reason.emplace_back("reason", std::string(to_string(static_cast<http_edge::tenant_refusal>(i))));
      to.counter("ordem_tenant_refusals_total", "Requests refused by --tenant-rate or --tenant-in-flight.",
                 each.refusals[i], with_reason);
    }
  }
}

void add_engine(metric_list& to, const engine_stats& engine) {
  const actors::counters& counts = engine.counters;
  for (std::size_t i = 1; i < counts.outcomes.size(); ++i) {
    to.counter("ordem_messages_executed_total", "Messages decided and made durable, by verdict.", counts.outcomes[i],
               {{"verdict", std::string(to_string(static_cast<verdict>(i)))}});
  }
  for (std::size_t i = 0; i < counts.captures.size(); ++i) {
    to.counter("ordem_captures_total", "Calls of captures, by verdict.", counts.captures[i],
               {{"verdict", std::string(to_string(static_cast<capture_verdict>(i)))}});
  }
  to.counter("ordem_messages_refused_total", "Messages refused without a record.", counts.refusals);
  to.counter("ordem_messages_replayed_total", "Messages answered from a recorded outcome.", counts.replays);
  to.counter("ordem_messages_joined_total", "Repeats that waited for the outcome of the first request.", counts.joins);
  to.gauge("ordem_messages_in_flight", "Messages in flight.", static_cast<double>(engine.in_flight));
  to.gauge("ordem_live_orders", "Orders kept in memory between their changes.",
           static_cast<double>(counts.live_orders.load()));
  to.counter("ordem_write_failures_total", "Failed writes after which no more were accepted.", counts.write_failures);
  to.counter("ordem_write_recoveries_total", "Times that writes were accepted again after a failure.",
             counts.write_recoveries);
  to.histogram("ordem_commit_seconds", "Duration of a sync of the log.", counts.commit_time);
}

void add_persistence(metric_list& to, const engine_stats& engine, const engine_stats::sink& postgres,
                     const storage::log& log, timestamp now) {
  const actors::counters& counts = engine.counters;
  const log_positions& at = engine.positions;
  to.gauge("ordem_postgres_connected", "1 if entries can be written to Postgres, else 0.",
           postgres.is_connected ? 1 : 0);
  to.counter("ordem_postgres_batches_total", "Transactions written.", counts.persisted_batches);
  to.counter("ordem_postgres_failures_total", "Failed attempts to write to Postgres.", counts.persist_failures);
  to.gauge("ordem_postgres_backlog_bytes", "Log records that Postgres does not have yet; see --persist-backlog-max.",
           static_cast<double>(postgres.backlog_bytes));
  if (!at.persisted) return;  // unknown until Postgres has been reached once
  const position last{std::max(at.durable, *at.persisted)};
  to.gauge("ordem_postgres_position", "The position of the last entry in Postgres.",
           static_cast<double>(at.persisted->number));
  to.gauge("ordem_postgres_lag_entries", "Durable entries that Postgres does not have yet.",
           static_cast<double>(last.number - at.persisted->number));
  const auto next = log.read({at.persisted->number + 1}, 1);
  const bool behind = next && !next->empty();
  const auto lag = behind ? std::max(now - next->front().at(), milliseconds(0)) : milliseconds(0);
  to.gauge("ordem_postgres_lag_seconds", "The age of the oldest entry that Postgres does not have yet.",
           std::chrono::duration<double>(lag).count());
}

void add_view(metric_list& to, const storage::view_stats& stats) {
  to.gauge("ordem_store_orders", "Orders in the store, estimated.", static_cast<double>(stats.estimated_orders));
  to.gauge("ordem_store_messages", "Messages in the store, estimated.", static_cast<double>(stats.estimated_messages));
  to.gauge("ordem_store_captures", "Captures in the store, estimated.", static_cast<double>(stats.estimated_captures));
  to.gauge("ordem_store_memtable_bytes", "Memory of writes not yet in sorted files.",
           static_cast<double>(stats.memtable_bytes));
  to.gauge("ordem_store_table_file_bytes", "Size of the sorted files.", static_cast<double>(stats.table_file_bytes));
}

// The names process_* are those that Prometheus recommends for every process.
void add_own(metric_list& to, const own_stats& own) {
  const auto gauge = [&to](const char* name, const char* help, const auto& value) {
    if (value) to.gauge(name, help, static_cast<double>(*value));
  };
  const process_stats& process = own.process;
  if (process.cpu_seconds) {
    to.add(MetricType::Counter, "process_cpu_seconds_total", "CPU time of all threads, user and system.",
           *process.cpu_seconds);
  }
  gauge("process_resident_memory_bytes", "Memory in RAM.", process.resident_bytes);
  gauge("process_virtual_memory_bytes", "Size of the address space.", process.virtual_bytes);
  gauge("process_threads", "Threads.", process.threads);
  gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", process.started_at_s);
  gauge("process_open_fds", "Open file descriptors.", process.open_files);
  gauge("process_max_fds", "The limit of open file descriptors.", process.open_files_max);
  if (own.disk) {
    to.gauge("ordem_disk_available_bytes", "Free space for the data folder.",
             static_cast<double>(own.disk->available_bytes));
    to.gauge("ordem_disk_size_bytes", "Size of the file system of the data folder.",
             static_cast<double>(own.disk->size_bytes));
  }
  to.counter("ordem_request_log_dropped_total", "Lines of the request log that were dropped; see --request-log.",
             own.request_log_dropped);
}

void add_spans(metric_list& to, const tracer_stats& spans) {
  to.counter("ordem_trace_spans_exported_total", "Spans that the collector has taken.", spans.exported);
  for (std::size_t i = 0; i < spans.dropped.size(); ++i) {
    to.counter("ordem_trace_spans_dropped_total", "Spans that were not exported, by reason.", spans.dropped[i],
               {{"reason", std::string(to_string(static_cast<span_drop>(i)))}});
  }
}

}  // namespace

engine_stats stats_of(const actors::gateway& engine) {
  engine_stats now{.counters = engine.counters(), .in_flight = engine.in_flight(), .positions = engine.positions()};
  if (engine.is_consumed()) {
    now.postgres =
        engine_stats::sink{.is_connected = engine.is_sink_connected(), .backlog_bytes = engine.backlog_bytes()};
  }
  return now;
}

std::string metrics_text(const http_edge::edge_counters& edge, const http_edge::access_state& access,
                         http_edge::service_state state, const engine_stats* engine, const storage::log* log,
                         const storage::view_stats* view, timestamp now, const clock_stats& clock, const own_stats& own,
                         const tracer_stats* spans) {
  metric_list all;
  all.gauge("ordem_build_info", "Always 1; the labels give the version.", 1, {{"version", std::string(version_text)}});
  all.gauge("ordem_takes_writes", "1 if writes are accepted, as /-/ready says, else 0.", takes_writes(state) ? 1 : 0);
  all.gauge("ordem_serves_reads", "1 if reads are served, as /-/ready/reads says, else 0.",
            serves_reads(state) ? 1 : 0);
  all.gauge("ordem_read_only", "1 if writes have stopped because of a failure and reads go on, else 0.",
            state == http_edge::service_state::read_only ? 1 : 0);
  add_own(all, own);
  add_clock(all, clock);
  add_edge(all, edge);
  add_feed(all, edge.feed, own);
  add_access(all, access);
  if (engine != nullptr) add_engine(all, *engine);
  if (log != nullptr) {
    all.gauge("ordem_log_position", "The position of the last durable entry.", static_cast<double>(log->last().number));
  }
  if (view != nullptr) add_view(all, *view);
  if (engine != nullptr && log != nullptr && engine->postgres) {
    add_persistence(all, *engine, *engine->postgres, *log, now);
  }
  if (spans != nullptr) add_spans(all, *spans);
  return all.text();
}

}  // namespace ordem::app
