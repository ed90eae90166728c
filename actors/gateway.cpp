#include "actors/gateway.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "actors/commit/commit_writer.hpp"
#include "actors/commit/log_syncer.hpp"
#include "actors/commit/reply_router.hpp"
#include "actors/interfaces.hpp"
#include "actors/orders/dedupe_shard.hpp"
#include "actors/orders/order_loader.hpp"
#include "actors/orders/order_shard.hpp"
#include "actors/replication/postgres_replicator.hpp"
#include "actors/scheduling/caller_runs.hpp"

namespace ordem::actors {
namespace {

// On top of CAF's work sharing, which wakes a sleeping worker at once; its work stealing lets idle workers sleep for up
// to 10 ms (caf/defaults.hpp, relaxed_sleep_duration), which a lone request would wait for.
struct actors_config : caf::actor_system_config {
  explicit actors_config(std::uint32_t worker_threads) {
    load<caller_runs>();
    set("scheduler.max-threads", std::size_t{worker_threads});
  }
};

hash_slot slot_of(const submission& what) {
  const auto* asked = std::get_if<message>(&what.request);
  return asked != nullptr ? asked->guid.slot() : std::get<capture_request>(what.request).key.slot();
}

std::vector<reply> turned_away(const std::vector<submission>& submissions, unavailability why) {
  std::vector<reply> replies;
  replies.reserve(submissions.size());
  for (const submission& each : submissions) {
    reply& told = replies.emplace_back();
    told.token = each.token;
    told.answer.emplace<refusal>(why);
  }
  return replies;
}

}  // namespace

struct gateway::parts {
  parts(gateway_settings given, storage::store& store, const time_source& clock)
      : settings(std::move(given)),
        log(store),
        replies(settings.in_flight_max),
        gate(store, settings.consumer.backlog_bytes_max),
        id_sequence(store.newest_order()),
        loader(store),
        config(settings.worker_threads),
        system(config),
        syncer(system.spawn<log_syncer, caf::detached>(log_syncer_parts{
            &store, &clock, &replies, &counters, &gate, settings.consumer.answers_wait, [this] { stop_writing(); }})),
        writer(system.spawn<commit_writer, caf::detached>(
            commit_writer_parts{&store, syncer, decisions, &sealed, [this] { stop_writing(); }})) {
    decisions->connect(writer);
    loader.start(system);
    const auto context =
        std::make_shared<const order_context>(order_context{&store, &clock, &loader, settings.message_ttl, decisions});
    for (std::uint32_t i = 0; i < settings.shards; ++i) {
      const std::size_t live_orders_max = std::max<std::size_t>(1, settings.live_orders_max / settings.shards);
      order_shards.push_back(system.spawn<order_shard>(order_shard_parts{live_orders_max, &counters, context}));
    }
    for (std::uint32_t i = 0; i < settings.shards; ++i) {
      shards.push_back(system.spawn<dedupe_shard>(
          dedupe_shard_parts{i, &store, &store, &clock, &replies, &counters, settings.in_flight, settings.message_ttl,
                             settings.captures, &id_sequence, settings.id_seed + i, order_shards, decisions}));
    }
    if (settings.sink != nullptr) replicator = spawn_replicator();
    caf::anon_send(syncer, connect{shards, order_shards, replicator});
  }

  ~parts() {
    stopping.store(true);
    loader.stop();
    decisions.reset();  // it holds the writer, whose end the system waits for; the actors drop theirs as they end
    if (settings.sink != nullptr) settings.sink->interrupt();
    if (replicator) caf::anon_send_exit(replicator, caf::exit_reason::user_shutdown);
    for (const auto& shard : shards) caf::anon_send_exit(shard, caf::exit_reason::user_shutdown);
    for (const auto& shard : order_shards) caf::anon_send_exit(shard, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(writer, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(syncer, caf::exit_reason::user_shutdown);
  }

  replicator_actor spawn_replicator() {
    const consumer_settings& given = settings.consumer;
    replicator_parts what;
    what.log = &log;
    what.sink = settings.sink;
    what.counters = &counters;
    what.gate = &gate;
    what.syncer = syncer;
    what.linger = given.answers_wait ? milliseconds(0) : given.linger;
    what.retry_first = given.retry_first;
    what.retry_longest = given.retry_longest;
    what.jitter_seed = settings.id_seed;
    what.on_progress = [this] {
      const std::lock_guard lock(progress_mutex);  // so that a waiter can't miss it between its check and its wait
      progress.notify_all();
    };
    what.on_failure = given.on_failure;
    what.on_recovery = given.on_recovery;
    what.on_put_back = given.on_put_back;
    what.on_caught_up = given.on_caught_up;
    what.on_end = [this] {
      sealed.store(true);
      close(unavailability::read_only);
      settings.consumer.on_end();
    };
    what.stopping = &stopping;
    return system.spawn<actors::postgres_replicator, caf::detached>(std::move(what));
  }

  void close(unavailability why) {
    closed_because.store(why);
    closed.store(true);
  }
  void stop_writing() {
    close(unavailability::read_only);
    settings.on_log_failure();
  }

  gateway_settings settings;
  storage::log& log;
  actors::counters counters;
  reply_router replies;
  backlog_limit gate;
  order_id_sequence id_sequence;
  std::mutex progress_mutex;
  std::condition_variable progress;
  std::atomic<bool> sealed{false};
  std::atomic<bool> stopping{false};
  std::atomic<bool> closed{false};
  std::atomic<unavailability> closed_because{unavailability::draining};
  std::shared_ptr<commit_queue> decisions = std::make_shared<commit_queue>();
  order_loader loader;
  actors_config config;
  caf::actor_system system;  // its destructor waits for the actors, so that all above outlives them
  log_syncer_actor syncer;
  commit_writer_actor writer;
  std::vector<order_shard_actor> order_shards;
  std::vector<dedupe_shard_actor> shards;
  replicator_actor replicator;
};

gateway::gateway(gateway_settings settings, storage::store& store, const time_source& clock)
    : parts_(std::make_unique<parts>(std::move(settings), store, clock)) {}

gateway::~gateway() = default;

std::uint32_t gateway::add_queue(completion_queue& queue) {
  return parts_->replies.add_queue(queue);
}

void gateway::submit(std::vector<submission>&& submissions) {
  if (!parts_->replies.enter(submissions.size())) {
    parts_->replies.reject(turned_away(submissions, unavailability::overloaded));
    return;
  }
  // Looked at only now that drain() would wait for these.
  if (parts_->closed.load()) {
    parts_->replies.answer(turned_away(submissions, parts_->closed_because.load()));
    return;
  }
  if (parts_->gate.closed()) {
    parts_->replies.answer(turned_away(submissions, unavailability::backlog_full));
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
    by_shard[slot_of(each).number % by_shard.size()].submissions.push_back(std::move(each));
  }
  for (std::size_t i = 0; i < by_shard.size(); ++i) {
    if (!by_shard[i].submissions.empty()) caf::anon_send(parts_->shards[i], std::move(by_shard[i]));
  }
}

bool gateway::drain(milliseconds timeout) {
  parts_->closed.store(true);
  return parts_->replies.wait_until_idle(timeout);
}

void gateway::start_consuming() {
  if (parts_->replicator) caf::anon_send(parts_->replicator, replicate{});
}

bool gateway::finish_consuming(milliseconds timeout) {
  if (!parts_->replicator) return true;
  const actors::counters& counts = parts_->counters;
  const auto is_whole = [&] {
    return counts.replicator_position.load() && counts.persisted.load() >= parts_->log.last().number;
  };
  std::unique_lock lock(parts_->progress_mutex);
  parts_->progress.wait_for(lock, timeout, [&] { return is_whole() || !counts.replicator_connected.load(); });
  return is_whole();
}

log_positions gateway::positions() const noexcept {
  const position persisted{parts_->counters.persisted.load(std::memory_order_acquire)};
  return {parts_->log.appended(), parts_->log.last(),
          parts_->counters.replicator_position.load() ? std::optional(persisted) : std::nullopt};
}

bool gateway::is_consumed() const noexcept {
  return parts_->settings.sink != nullptr;
}

std::uint64_t gateway::backlog_bytes() const noexcept {
  return parts_->gate.bytes();
}

const counters& gateway::counters() const noexcept {
  return parts_->counters;
}

std::size_t gateway::in_flight() const noexcept {
  return parts_->replies.in_flight();
}

}  // namespace ordem::actors
