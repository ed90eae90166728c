#include "actors/execution.hpp"

#include <utility>

#include "engine/rules/decide.hpp"

namespace ordem::actors {
namespace {

decided recorded(task&& what, const outcome& result, shared_order before, shared_order after, timestamp now,
                 milliseconds ttl) {
  message& asked = what.message;
  const timestamp expires_at = now + ttl;
  message_record record{asked.fingerprint, result, now, expires_at, std::nullopt};
  if (must_be_kept(result, asked.command)) record.command = std::move(asked.command);
  completion to_hear{what.token, what.shard, asked.guid, asked.target, executed{result, after, expires_at, false}};
  return {std::move(to_hear),
          storage::message_entry{std::move(asked.guid), std::move(record), std::move(before), std::move(after)}};
}

}  // namespace

void fail_all(std::vector<completion>& group) {
  for (completion& each : group) {
    // A refusal says nothing of what is on the disk.
    if (!std::holds_alternative<refusal>(each.answer)) each.answer = refusal{unavailability::read_only};
  }
}

void take_back_lapsed(std::vector<completion>& group, const clock_reading& now) {
  for (completion& each : group) {
    auto* told = std::get_if<capture_answer>(&each.answer);
    if (told == nullptr || each.allocated == nullptr || each.allocated->is_leased_at(now)) continue;
    told->verdict = capture_verdict::in_flight;
  }
}

execution execute_task(task&& what, shared_order current, order_id fresh_id, timestamp now, milliseconds ttl) {
  auto decision = decide(current.get(), what.message, fresh_id, now);
  if (auto* refused = std::get_if<refusal>(&decision)) {
    completion to_hear{what.token, what.shard, std::move(what.message.guid), what.message.target, std::move(*refused)};
    return {{std::move(to_hear), std::nullopt}, std::move(current)};
  }
  if (const auto* rejected = std::get_if<outcome>(&decision)) {
    return {recorded(std::move(what), *rejected, nullptr, nullptr, now, ttl), std::move(current)};
  }
  auto after = std::make_shared<const order>(apply(current.get(), std::move(std::get<event>(decision))));
  const outcome accepted = accepted_outcome(what.message, *after);
  return {recorded(std::move(what), accepted, std::move(current), after, now, ttl), after};
}

}  // namespace ordem::actors
