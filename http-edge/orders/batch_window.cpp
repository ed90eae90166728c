#include "http-edge/orders/batch_window.hpp"

#include <algorithm>
#include <variant>

#include "engine/base/check.hpp"
#include "engine/codec/message_json.hpp"
#include "engine/ports/conflict_reader.hpp"
#include "http-edge/orders/rendering.hpp"

namespace ordem::http_edge {

batch_window::slot& batch_window::append() {
  ORDEM_CHECK(!full());
  if (size_ == slots_.size()) {
    constexpr std::size_t first_slots = 16;
    std::rotate(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(head_), slots_.end());
    head_ = 0;
    slots_.resize(std::clamp(size_ * 2, first_slots, batch_limits::lines_in_flight_max));
  }
  return slots_[(head_ + size_++) % slots_.size()];
}

std::uint32_t batch_window::add(const guid& key, std::size_t line_bytes) {
  slot& added = append();
  added.state = state::in_flight;
  added.bytes = line_bytes;
  added.key = key.view();
  bytes_ += line_bytes;
  ++in_flight_;
  return first_ + static_cast<std::uint32_t>(size_ - 1);
}

void batch_window::add(const refused_line& known) {
  slot& added = append();
  added.bytes = 0;
  refuse(added, known.key ? std::optional(known.key->view()) : std::nullopt, known.why);
}

void batch_window::refuse(slot& at, std::optional<std::string_view> key, const response& why) {
  at.text.clear();
  append_verdict(at.text, key, why);
  set_text(at);
  count(why.status, why.problem);
}

// The verdict has the changes of the order, which are written now, so that they count as bytes of the window.
void batch_window::reject_stale(slot& at, const executed& what) {
  const auto of = read_conflict(orders_, what.outcome, what.unmerged.get());
  if (!of) return refuse(at, at.key, refusal_response(unavailability::storage_failed));
  at.text.clear();
  append_verdict(at.text, at.key, what, *of);
  set_text(at);
  count(codec::recorded_status(what.outcome), problem::stale_version);
}

void batch_window::set_text(slot& at) noexcept {
  at.state = state::written;
  bytes_ += at.text.size() - at.bytes;
  at.bytes = at.text.size();
}

void batch_window::complete(std::uint32_t line, answer&& what) {
  const std::size_t place = line - first_;
  ORDEM_CHECK(place < size_);
  slot& answered = slots_[(head_ + place) % slots_.size()];
  ORDEM_CHECK(answered.state == state::in_flight);
  --in_flight_;
  auto* done = std::get_if<executed>(&what);
  if (done != nullptr && done->outcome.verdict == verdict::stale_version) {
    reject_stale(answered, *done);
  } else if (done != nullptr) {
    count(codec::recorded_status(done->outcome), codec::recorded_problem(done->outcome.verdict));
    answered.state = state::executed;
    answered.executed = std::move(*done);
  } else {
    refuse(answered, answered.key, refusal_response(std::get<refusal>(what)));
  }
}

void batch_window::count(unsigned status, std::optional<codec::problem> which) {
  ++counts_.by_status[status / 100];
  if (which) counts_.problems.push_back(*which);
}

void batch_window::write_due(std::string& out) {
  while (size_ > 0 && slots_[head_].state != state::in_flight) {
    slot& due = slots_[head_];
    if (due.state == state::executed) {
      append_verdict(out, due.key, due.executed);
      due.executed.order.reset();
    } else {
      out += due.text;
    }
    bytes_ -= due.bytes;
    head_ = (head_ + 1) % slots_.size();
    --size_;
    ++first_;
  }
}

}  // namespace ordem::http_edge
