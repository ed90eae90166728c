#include "actors/orders/dedupe_shard.hpp"

#include <utility>

#include "actors/sharding.hpp"
#include "actors/traced_execution.hpp"

namespace ordem::actors {

struct dedupe_shard::batch_result {
  batch_result(std::size_t order_shards, std::size_t submissions) : by_order_shard(order_shards) {
    decisions.reserve(submissions);
  }

  std::vector<reply> replies;
  std::vector<decided> decisions;
  std::vector<std::vector<task>> by_order_shard;
  std::uint64_t joins = 0;
  std::uint64_t replays = 0;
  std::array<std::uint64_t, capture_verdicts> captures{};
};

dedupe_shard::dedupe_shard(caf::actor_config& config, dedupe_shard_parts parts)
    : dedupe_shard_actor::base(config),
      parts_(std::move(parts)),
      messages_(*parts_.committed_orders, parts_.policy),
      captures_(*parts_.committed_captures, parts_.captures),
      ids_(parts_.id_seed, *parts_.id_sequence) {
  stop_on_exception(this);
}

dedupe_shard::behavior_type dedupe_shard::make_behavior() {
  return {
      [this](submit& batch) { admit_all(batch); },
      [this](const complete& notice) { complete_all(notice); },
  };
}

void dedupe_shard::on_exit() {
  // Drops its references, since actors in a cycle of references are never destroyed.
  parts_.order_shards.clear();
  parts_.decisions.reset();
}

void dedupe_shard::admit_all(submit& batch) {
  const clock_reading now = parts_.clock->read();
  batch_result all(parts_.order_shards.size(), batch.submissions.size());
  for (submission& each : batch.submissions) {
    if (std::holds_alternative<message>(each.request)) {
      admit_message(std::move(each), now, all);
    } else {
      admit_capture(std::move(each), now, all);
    }
  }

  if (!all.decisions.empty()) parts_.decisions->push(std::move(all.decisions));
  for (std::size_t i = 0; i < all.by_order_shard.size(); ++i) {
    if (!all.by_order_shard[i].empty()) send(parts_.order_shards[i], route{std::move(all.by_order_shard[i])});
  }
  add(parts_.counters->joins, all.joins);
  add(parts_.counters->replays, all.replays);
  add(parts_.counters->captures, all.captures);
  if (!all.replies.empty()) parts_.replies->answer(std::move(all.replies));
}

void dedupe_shard::admit_message(submission&& what, const clock_reading& now, batch_result& to) {
  const request_token token = what.token;
  auto& request = std::get<message>(what.request);
  const span_timer timer(what.trace != nullptr);
  auto admission = messages_.admit(token, request, now);
  if (what.trace) trace_dedupe(*parts_.tracer, *what.trace, timer, admission);
  if (auto* known = std::get_if<answer>(&admission)) {
    if (std::holds_alternative<executed>(*known)) ++to.replays;
    to.replies.push_back({token, std::move(*known)});
  } else if (std::holds_alternative<dedupe_table::joined>(admission)) {
    ++to.joins;
  } else if (task work{token, parts_.number, std::move(request), std::move(what.trace)}; work.message.target) {
    const std::size_t shard = order_shard_of(*work.message.target, to.by_order_shard.size());
    to.by_order_shard[shard].push_back(std::move(work));
  } else {
    const order_id id = ids_.next(now.now(), work.message.guid.slot());
    to.decisions.push_back(
        execute_traced(parts_.tracer, std::move(work), nullptr, id, now.now(), parts_.message_ttl).decided);
  }
}

void dedupe_shard::admit_capture(submission&& what, const clock_reading& now, batch_result& to) {
  const request_token token = what.token;
  auto& request = std::get<capture_request>(what.request);
  const span_timer timer(what.trace != nullptr);
  tenant_capture_key key{request.origin.tenant, request.key};
  auto [answer, entry, waits] = captures_.admit(std::move(request), now);
  decision_trace traced;
  if (what.trace) traced = {what.trace, trace_decision(*parts_.tracer, *what.trace, timer, answer)};
  const auto* captured = std::get_if<capture_answer>(&answer);
  if (waits) {
    const bool is_allocated = captured != nullptr && captured->verdict == capture_verdict::allocated;
    auto allocated = is_allocated ? std::get<storage::capture_entry>(entry.value()).after : nullptr;
    to.decisions.push_back(
        {{token, parts_.number, std::move(key), std::nullopt, std::move(answer), std::move(allocated)},
         std::move(entry),
         std::move(traced)});
    return;
  }
  if (captured != nullptr) ++to.captures[static_cast<std::size_t>(captured->verdict)];
  to.replies.push_back({token, std::move(answer)});
}

void dedupe_shard::complete_all(const complete& notice) {
  std::vector<reply> replies;
  for (const completion& each : notice.completions) {
    if (const auto* key = std::get_if<tenant_capture_key>(&each.subject)) {
      captures_.complete(*key);
    } else {
      messages_.complete(each, replies);
    }
  }
  if (!replies.empty()) parts_.replies->answer(std::move(replies));
}

}  // namespace ordem::actors
