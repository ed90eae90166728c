#include "actors/gateway.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "actors/commit/commit_writer.hpp"
#include "actors/commit/log_syncer.hpp"
#include "actors/commit/reply_router.hpp"
#include "actors/commit/write_recovery.hpp"
#include "actors/interfaces.hpp"
#include "actors/orders/dedupe_shard.hpp"
#include "actors/orders/order_loader.hpp"
#include "actors/orders/order_shard.hpp"
#include "actors/replication/backlog_limit.hpp"
#include "actors/replication/postgres_replicator.hpp"
#include "actors/replication/replication_state.hpp"
#include "actors/replication/traced_positions.hpp"
#include "actors/scheduling/caller_runs.hpp"
#include "actors/sharding.hpp"

namespace ordem::actors {
namespace {

// caller_runs falls back on CAF's work sharing, which wakes a sleeping worker at once. With work stealing an idle
// worker sleeps for up to 10 ms (caf/defaults.hpp, relaxed_sleep_duration), which would delay a lone request.
struct actors_config : caf::actor_system_config {
  explicit actors_config(std::uint32_t worker_threads) {
    load<caller_runs>();
    set("scheduler.max-threads", std::size_t{worker_threads});
  }
};

hash_slot slot_of(const submission& what) {
  const auto* executed = std::get_if<message>(&what.request);
  return executed != nullptr ? executed->guid.slot() : std::get<capture_request>(what.request).key.slot();
}

std::vector<reply> rejections_of(const std::vector<submission>& submissions, unavailability why) {
  std::vector<reply> replies;
  replies.reserve(submissions.size());
  for (const submission& each : submissions) {
    reply& rejection = replies.emplace_back();  // in place: GCC 12 warns of an uninitialised variant in a moved one
    rejection.token = each.token;
    rejection.answer.emplace<refusal>(why);
  }
  return replies;
}

}  // namespace

struct gateway::parts {
  parts(gateway_settings given_settings, gateway_ports given_ports, gateway_events given_events)
      : settings(given_settings),
        ports(given_ports),
        events(std::move(given_events)),
        counters(ports.counters != nullptr ? *ports.counters : own_counters),
        replies(settings.in_flight_max),
        backlog(ports.log, settings.consumer.backlog_bytes_max),
        traced(ports.tracer != nullptr && ports.sink != nullptr ? std::make_unique<traced_positions>(*ports.tracer)
                                                                : nullptr),
        id_sequence(ports.newest_order),
        loader(ports.orders),
        config(settings.worker_threads),
        system(config),
        syncer(spawn_syncer()),
        writer(spawn_writer()) {
    decisions->connect(writer);
    loader.start(system);
    spawn_order_shards();
    for (std::uint32_t i = 0; i < settings.shards; ++i) shards.push_back(spawn_dedupe_shard(i));
    recovery = make_recovery();
    if (ports.sink != nullptr) replicator = spawn_replicator();
    caf::anon_send(syncer, connect{.shards = shards, .order_shards = order_shards, .replicator = replicator});
  }

  ~parts() {
    stopping.store(true);
    recovery->stop();
    loader.stop();
    decisions.reset();  // holds a reference to the writer, which the system waits for; the actors drop theirs on exit
    if (ports.sink != nullptr) ports.sink->interrupt();
    if (replicator) caf::anon_send_exit(replicator, caf::exit_reason::user_shutdown);
    for (const auto& shard : shards) caf::anon_send_exit(shard, caf::exit_reason::user_shutdown);
    for (const auto& shard : order_shards) caf::anon_send_exit(shard, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(writer, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(syncer, caf::exit_reason::user_shutdown);
  }

  log_syncer_actor spawn_syncer() {
    return system.spawn<log_syncer, caf::detached>(
        log_syncer_parts{.log = &ports.log,
                         .view = &ports.view,
                         .clock = &ports.clock,
                         .replies = &replies,
                         .counters = &counters,
                         .replication = &replication,
                         .tracer = ports.tracer,
                         .traced = traced.get(),
                         .backlog = &backlog,
                         .wait_for_persisted = settings.consumer.wait_for_persisted,
                         .on_failure = [this] { stop_writing(); },
                         .on_visible = events.on_visible});
  }

  commit_writer_actor spawn_writer() {
    return system.spawn<commit_writer, caf::detached>(commit_writer_parts{.log = &ports.log,
                                                                          .syncer = syncer,
                                                                          .decisions = decisions,
                                                                          .sealed = &sealed,
                                                                          .traced = traced.get(),
                                                                          .on_failure = [this] { stop_writing(); }});
  }

  void spawn_order_shards() {
    const auto context = std::make_shared<const order_context>(order_context{.committed = &ports.orders,
                                                                             .clock = &ports.clock,
                                                                             .loader = &loader,
                                                                             .tracer = ports.tracer,
                                                                             .message_ttl = settings.message_ttl,
                                                                             .decisions = decisions});
    const std::size_t live_orders_max = std::max<std::size_t>(1, settings.live_orders_max / settings.shards);
    for (std::uint32_t i = 0; i < settings.shards; ++i) {
      order_shards.push_back(system.spawn<order_shard>(
          order_shard_parts{.live_orders_max = live_orders_max, .counters = &counters, .context = context}));
    }
  }

  dedupe_shard_actor spawn_dedupe_shard(std::uint32_t number) {
    return system.spawn<dedupe_shard>(dedupe_shard_parts{.number = number,
                                                         .committed_orders = &ports.orders,
                                                         .committed_captures = &ports.captures,
                                                         .clock = &ports.clock,
                                                         .replies = &replies,
                                                         .counters = &counters,
                                                         .tracer = ports.tracer,
                                                         .policy = settings.in_flight,
                                                         .message_ttl = settings.message_ttl,
                                                         .captures = settings.captures,
                                                         .id_sequence = &id_sequence,
                                                         .id_seed = settings.id_seed + number,
                                                         .order_shards = order_shards,
                                                         .decisions = decisions});
  }

  replicator_actor spawn_replicator() {
    return system.spawn<postgres_replicator, caf::detached>(
        replicator_parts{.log = &ports.log,
                         .sink = ports.sink,
                         .counters = &counters,
                         .replication = &replication,
                         .backlog = &backlog,
                         .syncer = syncer,
                         .tracer = ports.tracer,
                         .traced = traced.get(),
                         .wait_for_persisted = settings.consumer.wait_for_persisted,
                         .linger = settings.consumer.linger,
                         .retry_first = settings.consumer.retry_first,
                         .retry_longest = settings.consumer.retry_longest,
                         .jitter_seed = settings.id_seed,
                         .on_failure = events.on_sink_failure,
                         .on_recovery = events.on_sink_recovery,
                         .on_put_back = events.on_sink_put_back,
                         .on_caught_up = events.on_caught_up,
                         .on_end = [this] { end_replication(); },
                         .stopping = &stopping});
  }

  // Returns why messages are refused, or nullopt.
  std::optional<unavailability> closed_because() const noexcept {
    if (failed.load() || sealed.load()) return unavailability::read_only;
    if (draining.load()) return unavailability::draining;
    return std::nullopt;
  }
  void stop_writing() {
    if (failed.exchange(true)) return;
    add(counters.write_failures, 1);
    events.on_write_failure();
    recovery->begin();
  }
  void resume_writing() {
    failed.store(false);
    add(counters.write_recoveries, 1);
    if (!sealed.load()) events.on_write_recovery();
  }
  void end_replication() {
    sealed.store(true);
    events.on_sink_end();
  }

  std::unique_ptr<write_recovery> make_recovery() {
    return std::make_unique<write_recovery>(
        write_recovery_parts{.log = &ports.log,
                             .view = &ports.view,
                             .replies = &replies,
                             .forget =
                                 [this] {
                                   for (const auto& shard : order_shards) caf::anon_send(shard, forget_orders{});
                                 },
                             .on_failure = [this](const storage::error& why) { events.on_write_retry(why.message); },
                             .on_success = [this] { resume_writing(); },
                             .on_end = [this](const storage::error& why) { events.on_write_end(why.message); },
                             .retry_first = settings.write_retry_first,
                             .retry_longest = settings.write_retry_longest});
  }

  const gateway_settings settings;
  const gateway_ports ports;
  const gateway_events events;
  actors::counters own_counters;
  actors::counters& counters;
  replication_state replication;
  reply_router replies;
  backlog_limit backlog;
  std::unique_ptr<traced_positions> traced;
  order_id_sequence id_sequence;
  std::atomic<bool> sealed{false};
  std::atomic<bool> stopping{false};
  std::atomic<bool> failed{false};
  std::atomic<bool> draining{false};
  std::shared_ptr<commit_queue> decisions = std::make_shared<commit_queue>();
  order_loader loader;
  std::unique_ptr<write_recovery> recovery;
  actors_config config;
  caf::actor_system system;  // its destructor waits for the actors, so they may use everything above
  log_syncer_actor syncer;
  commit_writer_actor writer;
  std::vector<order_shard_actor> order_shards;
  std::vector<dedupe_shard_actor> shards;
  replicator_actor replicator;
};

gateway::gateway(gateway_settings settings, gateway_ports ports, gateway_events events)
    : parts_(std::make_unique<parts>(settings, ports, std::move(events))) {}

gateway::~gateway() {
  actors::counters* const lasting = parts_->ports.counters;
  parts_.reset();
  if (lasting != nullptr) lasting->live_orders.store(0, std::memory_order_relaxed);  // they went with their actors
}

std::uint32_t gateway::add_queue(completion_queue& queue) {
  return parts_->replies.add_queue(queue);
}

void gateway::submit(std::vector<submission>&& submissions) {
  if (!parts_->replies.enter(submissions.size())) {
    parts_->replies.reject(rejections_of(submissions, unavailability::overloaded));
    return;
  }
  // Checked after enter(), so that either this sees the drain or drain() waits for these.
  if (const auto why = parts_->closed_because()) {
    parts_->replies.answer(rejections_of(submissions, *why));
    return;
  }
  if (parts_->backlog.closed()) {
    parts_->replies.answer(rejections_of(submissions, unavailability::backlog_full));
    return;
  }
  const caller_runs_scope scope(parts_->system);  // shards and order actors decide on this thread
  if (parts_->shards.size() == 1) {
    caf::anon_send(parts_->shards.front(), actors::submit{std::move(submissions)});
    return;
  }
  std::vector<actors::submit> by_shard(parts_->shards.size());
  for (actors::submit& each : by_shard) each.submissions.reserve(submissions.size());
  for (submission& each : submissions) {
    by_shard[dedupe_shard_of(slot_of(each), by_shard.size())].submissions.push_back(std::move(each));
  }
  for (std::size_t i = 0; i < by_shard.size(); ++i) {
    if (!by_shard[i].submissions.empty()) caf::anon_send(parts_->shards[i], std::move(by_shard[i]));
  }
}

bool gateway::drain(milliseconds timeout) {
  parts_->draining.store(true);
  return parts_->replies.wait_until_idle(timeout);
}

void gateway::seal() {
  parts_->sealed.store(true);
  caf::anon_send(parts_->syncer, fail_replication{});
}

void gateway::start_consuming() {
  if (parts_->replicator) caf::anon_send(parts_->replicator, replicate{});
}

bool gateway::finish_consuming(milliseconds timeout) {
  return !is_consumed() || parts_->replication.wait_until_persisted(parts_->ports.log, timeout);
}

bool gateway::is_consumed() const noexcept {
  return parts_->ports.sink != nullptr;
}

bool gateway::is_sink_connected() const noexcept {
  return parts_->replication.is_connected();
}

log_positions gateway::positions() const noexcept {
  // The earlier one first, so that it is never ahead of the later one.
  const auto persisted = parts_->replication.persisted();
  const position durable = parts_->ports.log.last();
  return {.decided = parts_->ports.log.appended(), .durable = durable, .persisted = persisted};
}

std::uint64_t gateway::backlog_bytes() const noexcept {
  return parts_->backlog.bytes();
}

const counters& gateway::counters() const noexcept {
  return parts_->counters;
}

std::size_t gateway::in_flight() const noexcept {
  return parts_->replies.in_flight();
}

}  // namespace ordem::actors
