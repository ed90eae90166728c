#include "actors/captures/capture_table.hpp"

#include <utility>

#include "engine/base/check.hpp"
#include "engine/rules/capture_rules.hpp"

namespace ordem::actors {

capture_table::admission capture_table::admit(capture_request&& asked, const clock_reading& now) {
  const auto undurable = undurable_.find(asked.key);
  shared_capture current;
  if (undurable != undurable_.end()) {
    current = undurable->second.decided;
  } else {
    auto read = committed_.find_capture(asked.key, now);
    if (!read) return {refusal{unavailability::storage_failed}, std::nullopt, false};
    current = std::move(*read);
  }

  const capture_decision decision = decide(current, asked, terms_, now);
  capture_answer told{decision.verdict, asked.key, nullptr};
  if (decision.verdict == capture_verdict::completed) told.response = current->response;
  if (!decision.change && undurable == undurable_.end()) return {std::move(told), std::nullopt, false};

  state& now_decided = undurable_[asked.key];
  ++now_decided.waiting;
  if (!decision.change) return {std::move(told), std::nullopt, true};
  now_decided.decided = decision.change->after;
  return {std::move(told), storage::capture_entry{std::move(asked.key), now.now(), decision.change->after}, true};
}

void capture_table::complete(const capture_key& key) {
  const auto found = undurable_.find(key);
  CHECK(found != undurable_.end() && found->second.waiting > 0);
  if (--found->second.waiting == 0) undurable_.erase(found);
}

}  // namespace ordem::actors
