#include "actors/commit/log_syncer.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <utility>

#include "actors/sharding.hpp"
#include "engine/base/check.hpp"

namespace ordem::actors {
namespace {

// Splits the completions by dedupe shard, keeping their order.
std::vector<complete> by_shard(std::vector<completion>&& group, std::size_t shards) {
  std::vector<complete> parts(shards);
  if (shards == 1) {
    parts.front().completions = std::move(group);
    return parts;
  }
  for (completion& each : group) parts[each.shard].completions.push_back(std::move(each));
  return parts;
}

position end_of(const make_durable& group) noexcept {
  return {group.first.number + group.entries.size() - 1};
}

// Removes the groups behind the last one that is durable, and returns them. One without entries at the end is among
// them: its answers may depend on entries that could not be written.
std::vector<make_durable> take_undurable(std::vector<make_durable>& groups, position durable) {
  const auto last = std::find_if(groups.rbegin(), groups.rend(), [&](const make_durable& each) {
    return !each.entries.empty() && end_of(each) <= durable;
  });
  std::vector<make_durable> taken(std::make_move_iterator(last.base()), std::make_move_iterator(groups.end()));
  groups.erase(last.base(), groups.end());
  return taken;
}

// Fails the completions, and drops the entries, which are not applied.
void fail_groups(std::vector<make_durable>& groups) {
  for (make_durable& each : groups) {
    fail_all(each.group);
    each.entries.clear();
    for (traced_decision& traced : each.traced) traced.failed = true;
  }
}

}  // namespace

log_syncer::log_syncer(caf::actor_config& config, log_syncer_parts parts)
    : log_syncer_actor::base(config), parts_(std::move(parts)) {
  stop_on_exception(this);
}

log_syncer::behavior_type log_syncer::make_behavior() {
  return {
      [this](connect& listeners) { listeners_ = std::move(listeners); },
      [this](make_durable& appended) { add_to_group(appended); },
      [this](flush) { sync_group(); },
      [this](persisted notice) { complete_persisted(notice.through); },
      [this](fail_replication) { fail_deferred(); },
  };
}

void log_syncer::on_exit() {
  listeners_ = connect{};
}

void log_syncer::add_to_group(make_durable& appended) {
  if (groups_.empty()) send(this, flush{});
  groups_.push_back(std::move(appended));
}

void log_syncer::sync_group() {
  const auto start = std::chrono::steady_clock::now();
  const auto synced = parts_.log->sync();
  const auto end = std::chrono::steady_clock::now();
  const auto took = end - start;

  if (parts_.tracer != nullptr) trace_sync(groups_, start, end, !synced);
  auto groups = std::exchange(groups_, {});
  std::vector<make_durable> failed;
  const position durable = parts_.log->last();
  if (synced) {
    add(parts_.counters->commits, 1);
    parts_.counters->commit_time.add(took);
  } else {
    // An earlier sync may have covered groups that were appended meanwhile, before an append failed.
    failed = take_undurable(groups, durable);
    fail_groups(failed);
    if (parts_.traced != nullptr) parts_.traced->forget_after(durable);
    if (synced.error() == storage::log_error::write_failed) parts_.on_failure();
  }
  if (parts_.wait_for_persisted && durable > persisted_) {
    if (!groups.empty()) deferred_.push_back({durable, std::move(groups)});
    if (replication_failed_) fail_deferred();
  } else {
    complete_groups(std::move(groups));
  }
  if (!failed.empty()) complete_groups(std::move(failed));
  if (synced) notify_replicator();
}

void log_syncer::notify_replicator() {
  if (!listeners_.replicator) return;
  if (parts_.replication->begin_notification()) send(listeners_.replicator, replicate{});
  // Not after each sync: in one interval the log grows by little of its bound.
  constexpr auto measure_interval = std::chrono::milliseconds(100);
  const auto now = std::chrono::steady_clock::now();
  if (now - measured_ < measure_interval) return;
  measured_ = now;
  parts_.backlog->measure();
}

void log_syncer::complete_persisted(position through) {
  persisted_ = through;
  for (; !deferred_.empty() && deferred_.front().through <= through; deferred_.pop_front()) {
    complete_groups(std::move(deferred_.front().groups));
  }
}

// The deferred groups are durable on this machine, but the sink, which durability::postgres requires, will never have
// them.
void log_syncer::fail_deferred() {
  replication_failed_ = true;
  for (; !deferred_.empty(); deferred_.pop_front()) {
    fail_groups(deferred_.front().groups);
    complete_groups(std::move(deferred_.front().groups));
  }
}

// Records one span of the sync, in a trace of its own, if a sampled request waited for it.
void log_syncer::trace_sync(std::vector<make_durable>& groups, span_record::clock::time_point start,
                            span_record::clock::time_point end, bool failed) {
  if (std::all_of(groups.begin(), groups.end(), [](const make_durable& each) { return each.traced.empty(); })) return;
  span_record span;
  span.context = {parts_.tracer->make_trace_id(), parts_.tracer->make_span_id()};
  span.name = "group commit";
  span.start = start;
  span.end = end;
  span.failed = failed;
  std::size_t entries = 0;
  std::size_t bytes = 0;
  for (make_durable& each : groups) {
    entries += each.entries.size();
    bytes += each.bytes;
    for (traced_decision& traced : each.traced) traced.commit = span.context;
  }
  span.attributes = {{"ordem.commit.groups", static_cast<std::int64_t>(groups.size())},
                     {"ordem.commit.entries", static_cast<std::int64_t>(entries)},
                     {"ordem.commit.bytes", static_cast<std::int64_t>(bytes)}};
  parts_.tracer->record(std::move(span));
}

void log_syncer::trace_waits(const std::vector<traced_decision>& waited, span_record::clock::time_point end) {
  for (const traced_decision& each : waited) {
    auto span = child_span(*parts_.tracer, *each.decision.trace, "wait for durable", each.decision.decided_at, end);
    span.failed = each.failed;
    if (each.position) span.attributes.push_back({"ordem.position", static_cast<std::int64_t>(each.position->number)});
    if (each.commit) span.links.push_back(*each.commit);
    parts_.tracer->record(std::move(span));
  }
}

// Applies the entries of the groups to the view, and sends their completions, replies and unpins, in one message to
// each receiver.
void log_syncer::complete_groups(std::vector<make_durable>&& groups) {
  std::vector<completion> group;
  std::vector<traced_decision> waited;
  for (make_durable& each : groups) {
    // An entry comes with the version before it, so nothing has to be read that might fail.
    const auto applied = parts_.view->apply(each.entries, each.first);
    ORDEM_CHECK(applied.has_value());
    std::move(each.traced.begin(), each.traced.end(), std::back_inserter(waited));
    if (group.empty()) {
      group = std::move(each.group);
    } else {
      std::move(each.group.begin(), each.group.end(), std::back_inserter(group));
    }
  }
  if (parts_.view->has_failed()) parts_.on_failure();
  if (group.empty()) return;
  retract_lapsed(group, parts_.clock->read());
  std::array<std::uint64_t, std::tuple_size_v<decltype(counters::outcomes)>> outcomes{};
  std::array<std::uint64_t, capture_verdicts> captures{};
  std::uint64_t refusals = 0;
  std::vector<unpin> unpinned(listeners_.order_shards.size());
  std::vector<reply> replies;
  replies.reserve(group.size());
  for (const completion& each : group) {
    replies.push_back({each.token, each.answer});
    if (each.target) {
      unpinned[order_shard_of(*each.target, unpinned.size())].orders.push_back(*each.target);
    }
    if (const auto* recorded = std::get_if<executed>(&each.answer)) {
      ++outcomes[static_cast<std::size_t>(recorded->outcome.verdict)];
    } else if (const auto* captured = std::get_if<capture_answer>(&each.answer)) {
      ++captures[static_cast<std::size_t>(captured->verdict)];
    } else {
      ++refusals;
    }
  }
  // Before the replies, so that a client's next request finds its GUID completed.
  std::vector<complete> completed = by_shard(std::move(group), listeners_.shards.size());
  for (std::size_t i = 0; i < completed.size(); ++i) {
    if (!completed[i].completions.empty()) send(listeners_.shards[i], std::move(completed[i]));
  }
  for (std::size_t i = 0; i < unpinned.size(); ++i) {
    if (!unpinned[i].orders.empty()) send(listeners_.order_shards[i], std::move(unpinned[i]));
  }
  // Counted before the answer, so that who has an answer finds it in the metrics.
  add(parts_.counters->outcomes, outcomes);
  add(parts_.counters->captures, captures);
  add(parts_.counters->refusals, refusals);
  const auto answered_at = waited.empty() ? span_record::clock::time_point() : span_record::clock::now();
  parts_.replies->answer(std::move(replies));
  parts_.on_visible();
  trace_waits(waited, answered_at);
}

}  // namespace ordem::actors
