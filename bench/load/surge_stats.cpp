#include "bench/load/surge_stats.hpp"

#include <algorithm>

namespace ordem::bench {

using std::chrono::nanoseconds;

surge_stats::surge_stats(surge when, nanoseconds begins, nanoseconds length)
    : from_(std::clamp(when.from - begins, nanoseconds(0), length)),
      until_(std::clamp(when.until - begins, nanoseconds(0), length)),
      length_(length),
      phases_(surge_phase_names.size()),
      slots_(static_cast<std::size_t>((length + slot_length - nanoseconds(1)) / nanoseconds(slot_length))) {}

bool surge_stats::counts(nanoseconds time) const noexcept {
  return time >= nanoseconds(0) && time < length_;
}

surge_stats::phase& surge_stats::phase_at(nanoseconds time) noexcept {
  const auto which = time < from_ ? surge_phase::before : time < until_ ? surge_phase::during : surge_phase::after;
  return phases_[static_cast<std::size_t>(which)];
}

surge_stats::slot& surge_stats::slot_at(nanoseconds time) noexcept {
  return slots_[static_cast<std::size_t>(time / nanoseconds(slot_length))];
}

nanoseconds surge_stats::length_of(surge_phase which) const noexcept {
  switch (which) {
    case surge_phase::before: return from_;
    case surge_phase::during: return until_ - from_;
    case surge_phase::after: break;
  }
  return length_ - until_;
}

void surge_stats::add_not_sent(nanoseconds due) noexcept {
  if (!counts(due)) return;
  ++phase_at(due).due;
  ++phase_at(due).not_sent;
  ++slot_at(due).due;
  ++slot_at(due).not_sent;
}

void surge_stats::add_accepted(nanoseconds due, nanoseconds sent, nanoseconds answered) noexcept {
  if (counts(answered)) {
    ++phase_at(answered).answered;
    ++slot_at(answered).answered;
  }
  if (!counts(due)) return;
  phase& at = phase_at(due);
  ++at.due;
  ++at.accepted;
  at.accepted_since_due.record(answered - due);
  at.accepted_since_sent.record(answered - sent);
  ++slot_at(due).due;
  slot_at(due).accepted_since_due.record(answered - due);
}

void surge_stats::add_refused(nanoseconds due, nanoseconds sent, nanoseconds answered) noexcept {
  if (!counts(due)) return;
  phase& at = phase_at(due);
  ++at.due;
  ++at.refused;
  at.refused_since_sent.record(answered - sent);
  ++slot_at(due).due;
  ++slot_at(due).refused;
}

void surge_stats::merge(const surge_stats& other) {
  if (other.empty()) return;
  if (empty()) {
    *this = other;
    return;
  }
  for (std::size_t i = 0; i < phases_.size(); ++i) {
    phase& to = phases_[i];
    const phase& from = other.phases_[i];
    to.due += from.due;
    to.not_sent += from.not_sent;
    to.accepted += from.accepted;
    to.refused += from.refused;
    to.answered += from.answered;
    to.accepted_since_due.merge(from.accepted_since_due);
    to.accepted_since_sent.merge(from.accepted_since_sent);
    to.refused_since_sent.merge(from.refused_since_sent);
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].due += other.slots_[i].due;
    slots_[i].not_sent += other.slots_[i].not_sent;
    slots_[i].refused += other.slots_[i].refused;
    slots_[i].answered += other.slots_[i].answered;
    slots_[i].accepted_since_due.merge(other.slots_[i].accepted_since_due);
  }
}

}  // namespace ordem::bench
