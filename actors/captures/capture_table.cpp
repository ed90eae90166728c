#include "actors/captures/capture_table.hpp"

#include <string_view>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/rules/capture_rules.hpp"

namespace ordem::actors {

capture_table::admission capture_table::admit(capture_request&& request, const clock_reading& now) {
  const std::string_view tenant = request.origin.tenant;
  const auto undurable = undurable_.find(tenant_key_view<capture_key>{tenant, request.key});
  shared_capture current;
  if (undurable != undurable_.end()) {
    current = undurable->second.decided;
  } else {
    auto read = committed_.find_capture(tenant, request.key, now);
    if (!read) return {refusal{unavailability::storage_failed}, std::nullopt, false};
    current = std::move(*read);
  }

  const capture_decision decision = decide(current, request, terms_, now);
  capture_answer result{decision.verdict, request.key, nullptr};
  if (decision.verdict == capture_verdict::completed) result.response = current->response;
  if (!decision.change && undurable == undurable_.end()) return {std::move(result), std::nullopt, false};

  state& next = undurable_[tenant_capture_key{request.origin.tenant, request.key}];
  ++next.waiting;
  if (!decision.change) return {std::move(result), std::nullopt, true};
  next.decided = decision.change->after;
  storage::capture_entry changed{std::move(request.key), now.now(), decision.change->after};
  if (changed.after == nullptr) changed.tenant_of_given_up = std::move(request.origin.tenant);
  return {std::move(result), std::move(changed), true};
}

void capture_table::complete(const tenant_capture_key& key) {
  const auto found = undurable_.find(key);
  ORDEM_CHECK(found != undurable_.end() && found->second.waiting > 0);
  if (--found->second.waiting == 0) undurable_.erase(found);
}

}  // namespace ordem::actors
