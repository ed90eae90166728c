#include "engine/rules/capture_rules.hpp"

#include <memory>
#include <utility>
#include <variant>

namespace ordem {
namespace {

capture_decision changed(capture_verdict verdict, capture after) {
  return {verdict, capture_change{std::make_shared<const capture>(std::move(after))}};
}

struct decider {
  const capture* current;  // null if there is none or it has expired
  const origin& from;
  const capture_terms& terms;
  const clock_reading& reading;
  timestamp now = reading.now();

  capture_decision operator()(const allocate_capture&) const {
    if (current != nullptr && current->response != nullptr) return {capture_verdict::completed, std::nullopt};
    if (current != nullptr && current->is_leased_at(reading)) return {capture_verdict::in_flight, std::nullopt};
    const bool ends = terms.lease > milliseconds(0);
    return changed(capture_verdict::allocated, {now, ends ? std::optional(now + terms.lease) : std::nullopt,
                                                ends ? std::optional(now + terms.ttl) : std::nullopt, nullptr, from});
  }
  // Regardless of the lease: the first response is recorded.
  capture_decision operator()(const record_capture& record) const {
    if (current == nullptr || current->response != nullptr || is_of_another()) {
      return {capture_verdict::not_recordable, std::nullopt};
    }
    return changed(capture_verdict::recorded,
                   {current->allocated_at, std::nullopt, now + terms.ttl, record.response, current->origin});
  }
  capture_decision operator()(const release_capture&) const {
    if (current == nullptr) return {capture_verdict::unknown, std::nullopt};
    if (current->response != nullptr || is_of_another()) return {capture_verdict::not_releasable, std::nullopt};
    return {capture_verdict::released, capture_change{nullptr}};
  }

  // Whether the request has an identity, and another one was given the allocation.
  bool is_of_another() const { return !from.actor.empty() && from != current->origin; }
};

}  // namespace

capture_decision decide(const shared_capture& current, const capture_request& asked, const capture_terms& terms,
                        const clock_reading& now) {
  const bool is_there = current != nullptr && current->is_kept_at(now);
  return std::visit(decider{is_there ? current.get() : nullptr, asked.origin, terms, now}, asked.action);
}

}  // namespace ordem
