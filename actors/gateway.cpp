#include "actors/gateway.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "actors/commit_writer.hpp"
#include "actors/dedupe_shard.hpp"
#include "actors/interfaces.hpp"
#include "actors/log_syncer.hpp"
#include "actors/order_keeper.hpp"
#include "actors/reply_router.hpp"

namespace ordem::actors {
namespace {

// CAF's work sharing wakes a sleeping worker at once; its work stealing lets idle workers sleep for up to 10 ms
// (caf/defaults.hpp, relaxed_sleep_duration), which a lone request would wait for.
struct actors_config : caf::actor_system_config {
  explicit actors_config(std::uint32_t worker_threads) {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{worker_threads});
  }
};

std::vector<reply> turned_away(const std::vector<submission>& submissions, unavailability why) {
  std::vector<reply> replies;
  replies.reserve(submissions.size());
  for (const submission& each : submissions) replies.push_back({each.ticket, refusal{why}});
  return replies;
}

}  // namespace

struct gateway::parts {
  parts(gateway_settings given, storage::store& store, const time_source& clock)
      : settings(std::move(given)),
        replies(settings.in_flight_max),
        config(settings.worker_threads),
        system(config),
        syncer(system.spawn<log_syncer, caf::detached>(
            log_syncer_parts{&store, &replies, &counters, [this] { stop_writing(); }})),
        writer(system.spawn<commit_writer, caf::detached>(
            commit_writer_parts{&store, syncer, [this] { stop_writing(); }})) {
    for (std::uint32_t i = 0; i < settings.shards; ++i) {
      const std::size_t live_orders_max = std::max<std::size_t>(1, settings.live_orders_max / settings.shards);
      keepers.push_back(system.spawn<order_keeper>(order_keeper_parts{
          i, settings.shards, live_orders_max, &store, &clock, &counters, settings.message_ttl, writer}));
    }
    for (std::uint32_t i = 0; i < settings.shards; ++i) {
      shards.push_back(
          system.spawn<dedupe_shard>(dedupe_shard_parts{i, &store, &clock, &replies, &counters, settings.in_flight,
                                                        settings.message_ttl, settings.id_seed + i, keepers, writer}));
    }
    caf::anon_send(syncer, introduce{shards, keepers});
  }

  ~parts() {
    for (const auto& shard : shards) caf::anon_send_exit(shard, caf::exit_reason::user_shutdown);
    for (const auto& keeper : keepers) caf::anon_send_exit(keeper, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(writer, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(syncer, caf::exit_reason::user_shutdown);
  }

  void stop_writing() {
    closed_because.store(unavailability::read_only);
    closed.store(true);
    settings.on_log_failure();
  }

  gateway_settings settings;
  actors::counters counters;
  reply_router replies;
  std::atomic<bool> closed{false};
  std::atomic<unavailability> closed_because{unavailability::draining};
  actors_config config;
  caf::actor_system system;  // its destructor waits for the actors, so that all above outlives them
  log_syncer_actor syncer;
  commit_writer_actor writer;
  std::vector<order_keeper_actor> keepers;
  std::vector<dedupe_shard_actor> shards;
};

gateway::gateway(gateway_settings settings, storage::store& store, const time_source& clock)
    : parts_(std::make_unique<parts>(std::move(settings), store, clock)) {}

gateway::~gateway() = default;

std::uint32_t gateway::add_desk(reply_desk& desk) {
  return parts_->replies.add_desk(desk);
}

void gateway::submit(std::vector<submission>&& submissions) {
  if (!parts_->replies.enter(submissions.size())) {
    parts_->replies.turn_away(turned_away(submissions, unavailability::overloaded));
    return;
  }
  // Looked at only now that drain() would wait for these.
  if (parts_->closed.load()) {
    parts_->replies.answer(turned_away(submissions, parts_->closed_because.load()));
    return;
  }
  std::vector<actors::submit> by_shard(parts_->shards.size());
  for (submission& each : submissions) {
    by_shard[each.message.guid.slot().number % by_shard.size()].submissions.push_back(std::move(each));
  }
  for (std::size_t i = 0; i < by_shard.size(); ++i) {
    if (!by_shard[i].submissions.empty()) caf::anon_send(parts_->shards[i], std::move(by_shard[i]));
  }
}

bool gateway::drain(milliseconds timeout) {
  parts_->closed.store(true);
  return parts_->replies.wait_until_idle(timeout);
}

const counters& gateway::counters() const noexcept {
  return parts_->counters;
}

std::size_t gateway::in_flight() const noexcept {
  return parts_->replies.in_flight();
}

}  // namespace ordem::actors
