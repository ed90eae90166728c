#include "actors/execution.hpp"

#include <utility>

#include "engine/rules/decide.hpp"

namespace ordem::actors {
namespace {

decided recorded(task&& work, const outcome& result, shared_order before, shared_order after, timestamp now,
                 milliseconds ttl) {
  message& request = work.message;
  const timestamp expires_at = now + ttl;
  completion done{work.token, work.shard, message_key{request.origin.tenant, request.guid}, request.target,
                  executed{result, after, expires_at, false}};
  message_record record{request.fingerprint, result, now, expires_at, std::nullopt, std::move(request.origin)};
  if (result.verdict == verdict::stale_version && asks_for_merge(result)) {
    std::get<executed>(done.answer).unmerged = std::make_shared<const command>(request.command);
  }
  if (must_be_kept(result, request.command)) record.command = std::move(request.command);
  return {std::move(done),
          storage::message_entry{std::move(request.guid), std::move(record), std::move(before), std::move(after)}};
}

}  // namespace

void fail_all(std::vector<completion>& group) {
  for (completion& each : group) {
    // A refusal does not depend on what is on disk.
    if (!std::holds_alternative<refusal>(each.answer)) each.answer = refusal{unavailability::read_only};
  }
}

void retract_lapsed(std::vector<completion>& group, const clock_reading& now) {
  for (completion& each : group) {
    auto* captured = std::get_if<capture_answer>(&each.answer);
    if (captured == nullptr || each.allocated == nullptr || each.allocated->is_leased_at(now)) continue;
    captured->verdict = capture_verdict::in_flight;
  }
}

execution execute_task(task&& work, shared_order current, order_id fresh_id, timestamp now, milliseconds ttl,
                       const shared_order& base) {
  auto decision = decide(current.get(), work.message, fresh_id, now, base.get());
  if (auto* refused = std::get_if<refusal>(&decision)) {
    message& request = work.message;
    completion done{work.token, work.shard, message_key{std::move(request.origin.tenant), std::move(request.guid)},
                    request.target, std::move(*refused)};
    return {{std::move(done), std::nullopt}, std::move(current)};
  }
  if (const auto* rejected = std::get_if<outcome>(&decision)) {
    return {recorded(std::move(work), *rejected, nullptr, nullptr, now, ttl), std::move(current)};
  }
  auto after = std::make_shared<const order>(apply(current.get(), std::move(std::get<event>(decision))));
  const outcome accepted = accepted_outcome(work.message, *after);
  return {recorded(std::move(work), accepted, std::move(current), after, now, ttl), after};
}

}  // namespace ordem::actors
