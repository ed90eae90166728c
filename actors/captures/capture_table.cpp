#include "actors/captures/capture_table.hpp"

#include <utility>

#include "engine/base/check.hpp"
#include "engine/rules/capture_rules.hpp"

namespace ordem::actors {

capture_table::admission capture_table::admit(capture_request&& request, const clock_reading& now) {
  const auto undurable = undurable_.find(request.key);
  shared_capture current;
  if (undurable != undurable_.end()) {
    current = undurable->second.decided;
  } else {
    auto read = committed_.find_capture(request.key, now);
    if (!read) return {refusal{unavailability::storage_failed}, std::nullopt, false};
    current = std::move(*read);
  }

  const capture_decision decision = decide(current, request, terms_, now);
  capture_answer result{decision.verdict, request.key, nullptr};
  if (decision.verdict == capture_verdict::completed) result.response = current->response;
  if (!decision.change && undurable == undurable_.end()) return {std::move(result), std::nullopt, false};

  state& next = undurable_[request.key];
  ++next.waiting;
  if (!decision.change) return {std::move(result), std::nullopt, true};
  next.decided = decision.change->after;
  return {std::move(result), storage::capture_entry{std::move(request.key), now.now(), decision.change->after}, true};
}

void capture_table::complete(const capture_key& key) {
  const auto found = undurable_.find(key);
  CHECK(found != undurable_.end() && found->second.waiting > 0);
  if (--found->second.waiting == 0) undurable_.erase(found);
}

}  // namespace ordem::actors
