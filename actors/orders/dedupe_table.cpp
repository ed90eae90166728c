#include "actors/orders/dedupe_table.hpp"

#include <string_view>
#include <utility>

#include "engine/base/check.hpp"

namespace ordem::actors {

dedupe_table::admission dedupe_table::admit(const request_token& token, const message& request,
                                            const clock_reading& now) {
  const std::string_view tenant = request.origin.tenant;
  if (const auto found = in_flight_.find(tenant_key_view<guid>{tenant, request.guid}); found != in_flight_.end()) {
    if (found->second.fingerprint != request.fingerprint) return refusal{guid_reused{}};
    if (policy_ == in_flight_policy::conflict) return refusal{request_in_flight{}};
    found->second.joined.push_back(token);
    return joined{};
  }

  const auto known = committed_.find_message(tenant, request.guid, now);
  if (!known) return refusal{unavailability::storage_failed};
  if (*known) {
    if ((*known)->fingerprint != request.fingerprint) return refusal{guid_reused{}};
    return replay(**known);
  }

  in_flight_.emplace(message_key{request.origin.tenant, request.guid}, flight{request.fingerprint, {}});
  return proceed{};
}

answer dedupe_table::replay(const message_record& record) const {
  executed repeated{record.outcome, nullptr, record.expires_at, true};
  if (record.outcome.verdict == verdict::stale_version && asks_for_merge(record.outcome) && record.command) {
    repeated.unmerged = std::make_shared<const command>(*record.command);
  }
  if (!is_accepted(record.outcome.verdict)) return repeated;
  auto order = committed_.find_version(record.outcome.order, record.outcome.version);
  if (!order || *order == nullptr) return refusal{unavailability::storage_failed};
  repeated.order = std::move(*order);
  return repeated;
}

void dedupe_table::complete(const completion& completed, std::vector<reply>& replies) {
  const auto found = in_flight_.find(std::get<message_key>(completed.subject));
  ORDEM_CHECK(found != in_flight_.end());
  for (const request_token& token : found->second.joined) {
    replies.push_back({token, completed.answer});
    if (auto* repeated = std::get_if<executed>(&replies.back().answer)) repeated->replayed = true;
  }
  in_flight_.erase(found);
}

}  // namespace ordem::actors
