#include "bench/load/load_result.hpp"

#include <algorithm>

#include "bench/load/hot_order_workload.hpp"

namespace ordem::bench {
namespace {

template <class Value>
void append(std::vector<Value>& to, const std::vector<Value>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// How many ids came again after their first time.
std::uint64_t count_repeated(std::vector<uuid>& order_ids) {
  std::ranges::sort(order_ids);
  return std::ranges::unique(order_ids).size();
}

}  // namespace

void error_counts::merge(const error_counts& other) noexcept {
  wrong_status += other.wrong_status;
  wrong_header += other.wrong_header;
  wrong_body += other.wrong_body;
  repeated_order += other.repeated_order;
  version_fault += other.version_fault;
  broken += other.broken;
  unanswered += other.unanswered;
  unconnected += other.unconnected;
}

void load_result::merge(const load_result& other) {
  answers += other.answers;
  orders += other.orders;
  stale += other.stale;
  refused += other.refused;
  request_bytes += other.request_bytes;
  request_body_bytes += other.request_body_bytes;
  answer_body_bytes += other.answer_body_bytes;
  for (std::size_t kind = 0; kind < request_kinds; ++kind) {
    answers_by_kind[kind] += other.answers_by_kind[kind];
    latency_by_kind[kind].merge(other.latency_by_kind[kind]);
  }
  by_second.resize(std::max(by_second.size(), other.by_second.size()));
  for (std::size_t second = 0; second < other.by_second.size(); ++second) {
    by_second[second].answers += other.by_second[second].answers;
    by_second[second].latency_max = std::max(by_second[second].latency_max, other.by_second[second].latency_max);
  }
  errors.merge(other.errors);
  if (first_complaint.empty()) first_complaint = other.first_complaint;
  late.merge(other.late);
  unsent_latency.merge(other.unsent_latency);
  timer_lag.merge(other.timer_lag);
  surge.merge(other.surge);
  refusal_time.merge(other.refusal_time);
  append(found.created, other.found.created);
  append(found.hot_versions, other.found.hot_versions);
}

latency_histogram load_result::latency() const {
  latency_histogram all = unsent_latency;
  for (const auto& each : latency_by_kind) all.merge(each);
  return all;
}

void check_findings(load_result& whole) {
  whole.errors.repeated_order = count_repeated(whole.found.created);
  if (whole.errors.repeated_order > 0 && whole.first_complaint.empty()) {
    whole.first_complaint = "an order id came with more than one create";
  }
  // Updates without an answer may have taken versions; they are errors of their own.
  if (whole.errors.broken + whole.errors.unanswered > 0) return;
  whole.errors.version_fault = count_version_faults(whole.found.hot_versions);
  if (whole.errors.version_fault > 0 && whole.first_complaint.empty()) {
    whole.first_complaint = "versions of the hot order were left out, or answered to two updates";
  }
}

}  // namespace ordem::bench
