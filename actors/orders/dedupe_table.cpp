#include "actors/orders/dedupe_table.hpp"

#include <utility>

#include "engine/base/check.hpp"

namespace ordem::actors {

dedupe_table::admission dedupe_table::admit(const request_token& waiter, const message& asked,
                                            const clock_reading& now) {
  if (const auto flying = in_flight_.find(asked.guid); flying != in_flight_.end()) {
    if (flying->second.fingerprint != asked.fingerprint) return refusal{guid_reused{}};
    if (policy_ == in_flight_policy::conflict) return refusal{request_in_flight{}};
    flying->second.joined.push_back(waiter);
    return joined{};
  }

  const auto known = committed_.find_message(asked.guid, now);
  if (!known) return refusal{unavailability::storage_failed};
  if (*known) {
    if ((*known)->fingerprint != asked.fingerprint) return refusal{guid_reused{}};
    return replay(**known);
  }

  in_flight_.emplace(asked.guid, flight{asked.fingerprint, {}});
  return proceed{};
}

answer dedupe_table::replay(const message_record& record) const {
  executed earlier{record.outcome, nullptr, record.expires_at, true};
  if (!is_accepted(record.outcome.verdict)) return earlier;
  auto order = committed_.find_version(record.outcome.order, record.outcome.version);
  if (!order || *order == nullptr) return refusal{unavailability::storage_failed};
  earlier.order = std::move(*order);
  return earlier;
}

void dedupe_table::complete(const completion& completed, std::vector<reply>& replies) {
  const auto flying = in_flight_.find(std::get<guid>(completed.subject));
  CHECK(flying != in_flight_.end());
  for (const request_token& waiter : flying->second.joined) {
    replies.push_back({waiter, completed.answer});
    if (auto* repeated = std::get_if<executed>(&replies.back().answer)) repeated->replayed = true;
  }
  in_flight_.erase(flying);
}

}  // namespace ordem::actors
