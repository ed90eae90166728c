#include "actors/commit/log_syncer.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "actors/orders/order_shard.hpp"

namespace ordem::actors {
namespace {

std::size_t commit_bucket(std::uint64_t us) {
  return static_cast<std::size_t>(std::lower_bound(commit_us_bounds.begin(), commit_us_bounds.end(), us) -
                                  commit_us_bounds.begin());
}

// The completions of each dedupe shard, in their order.
std::vector<complete> by_shard(std::vector<completion>&& group, std::size_t shards) {
  std::vector<complete> parts(shards);
  if (shards == 1) {
    parts.front().completions = std::move(group);
    return parts;
  }
  for (completion& each : group) parts[each.shard].completions.push_back(std::move(each));
  return parts;
}

}  // namespace

log_syncer::log_syncer(caf::actor_config& config, log_syncer_parts parts)
    : log_syncer_actor::base(config), parts_(std::move(parts)) {
  stop_on_exception(this);
}

log_syncer::behavior_type log_syncer::make_behavior() {
  return {
      [this](connect& listeners) { listeners_ = std::move(listeners); },
      [this](make_durable& appended) { gather(appended); },
      [this](flush) { sync_group(); },
      [this](persisted what) { release(what.through); },
      [this](fail_replication) { abort_all(); },
  };
}

void log_syncer::on_exit() {
  listeners_ = connect{};
}

void log_syncer::gather(make_durable& appended) {
  if (!group_.empty()) {
    std::move(appended.group.begin(), appended.group.end(), std::back_inserter(group_));
    return;
  }
  send(this, flush{});
  group_ = std::move(appended.group);
}

void log_syncer::sync_group() {
  const auto begun = std::chrono::steady_clock::now();
  const auto synced = parts_.log->sync();
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);

  if (synced) {
    const auto us = static_cast<std::uint64_t>(took.count());
    add(parts_.counters->commits, 1);
    add(parts_.counters->commit_us, us);
    add(parts_.counters->commits_by_us[commit_bucket(us)], 1);
  } else {
    fail_all(group_);
    if (synced.error() == storage::log_error::write_failed) parts_.on_failure();
  }
  auto group = std::exchange(group_, {});
  if (synced && parts_.wait_for_persisted && *synced > persisted_) {
    hold(*synced, std::move(group));
  } else {
    complete_group(std::move(group));
  }
  if (synced) notify_replicator();
}

void log_syncer::notify_replicator() {
  if (!listeners_.replicator) return;
  if (!parts_.counters->replicator_notified.exchange(true)) send(listeners_.replicator, replicate{});
  // The log grows slowly beside its bound.
  constexpr auto measure_interval = std::chrono::milliseconds(100);
  const auto now = std::chrono::steady_clock::now();
  if (now - measured_ < measure_interval) return;
  measured_ = now;
  parts_.gate->measure();
}

void log_syncer::hold(position upto, std::vector<completion>&& group) {
  waiting_.push_back({upto, std::move(group)});
  if (aborted_) abort_all();
}

void log_syncer::release(position through) {
  persisted_ = through;
  for (; !waiting_.empty() && waiting_.front().upto <= through; waiting_.pop_front()) {
    complete_group(std::move(waiting_.front().group));
  }
}

// What waits is durable here, but was promised to be safe elsewhere too, which it will never be.
void log_syncer::abort_all() {
  aborted_ = true;
  for (; !waiting_.empty(); waiting_.pop_front()) {
    fail_all(waiting_.front().group);
    complete_group(std::move(waiting_.front().group));
  }
}

// Every receiver of this group is told here, once, of what is its own.
void log_syncer::complete_group(std::vector<completion>&& group) {
  if (group.empty()) return;
  take_back_lapsed(group, parts_.clock->read());
  std::array<std::uint64_t, std::tuple_size_v<decltype(counters::outcomes)>> outcomes{};
  std::array<std::uint64_t, capture_verdicts> captures{};
  std::uint64_t refusals = 0;
  std::vector<unpin> unpinned(listeners_.order_shards.size());
  std::vector<reply> replies;
  replies.reserve(group.size());
  for (const completion& each : group) {
    replies.push_back({each.token, each.answer});
    if (each.target) {
      const auto shard = order_shard_of(*each.target, static_cast<std::uint32_t>(unpinned.size()));
      unpinned[shard].orders.push_back(*each.target);
    }
    if (const auto* answered = std::get_if<executed>(&each.answer)) {
      ++outcomes[static_cast<std::size_t>(answered->outcome.verdict)];
    } else if (const auto* captured = std::get_if<capture_answer>(&each.answer)) {
      ++captures[static_cast<std::size_t>(captured->verdict)];
    } else {
      ++refusals;
    }
  }
  // Before the answers: what a client sends upon its answer then finds its GUID settled.
  std::vector<complete> completed = by_shard(std::move(group), listeners_.shards.size());
  for (std::size_t i = 0; i < completed.size(); ++i) {
    if (!completed[i].completions.empty()) send(listeners_.shards[i], std::move(completed[i]));
  }
  for (std::size_t i = 0; i < unpinned.size(); ++i) {
    if (!unpinned[i].orders.empty()) send(listeners_.order_shards[i], std::move(unpinned[i]));
  }
  parts_.replies->answer(std::move(replies));

  add(parts_.counters->outcomes, outcomes);
  add(parts_.counters->captures, captures);
  add(parts_.counters->refusals, refusals);
}

}  // namespace ordem::actors
