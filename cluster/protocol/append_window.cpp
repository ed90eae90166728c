#include "cluster/protocol/append_window.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/check.hpp"

namespace ordem::cluster {

using storage::log_record_header;
using storage::log_record_kind;

namespace {

// How often the record before the oldest must be missing before the log is known to have lost it.
constexpr std::size_t missing_max = 3;

}  // namespace

append_window::append_window(record_chain& chain, std::uint64_t epoch, std::uint64_t attempts, append_settings settings,
                             protocol_rules rules)
    : chain_(chain),
      epoch_(epoch),
      settings_(settings),
      rules_(rules),
      attempts_(attempts),
      first_attempt_(attempts + 1) {}

bool append_window::has_room(std::size_t bytes) const noexcept {
  if (state_ != state::running) return false;
  return slots_.empty() || (slots_.size() < settings_.records_max && bytes_ + bytes <= settings_.bytes_max);
}

void append_window::append(log_record_kind kind, std::string record, std::uint32_t entries, position visible,
                           instant now, std::vector<effect>& out) {
  ORDEM_CHECK(state_ == state::running);
  const chain_state& written = chain_.state();
  const slot* before = slots_.empty() ? nullptr : &slots_.back();
  slot what;
  what.sequence = before ? before->sequence + 1 : chain_.next_sequence();
  what.number = ++appended_;
  what.header.kind = kind;
  what.header.entries = entries;
  what.header.epoch = epoch_;
  what.header.first = {(before ? before->header.last() : written.last).number + 1};
  what.header.time = std::max(now.wall, before ? before->header.time : written.time);
  what.header.durable = visible;
  what.header.hash_before = before ? before->header.hash : written.hash;
  storage::frame_log_record(record, what.header);
  what.record = std::make_shared<const std::string>(std::move(record));
  what.first_sent = now.boot;
  bytes_ += what.record->size();
  slots_.push_back(std::move(what));
  send(slots_.back(), now, out);
  if (!rules_.applies_after_acknowledgement) {
    out.emplace_back(record_effect{slots_.back().sequence, slots_.back().header, slots_.back().record, true});
  }
}

void append_window::send(slot& what, instant now, std::vector<effect>& out) {
  what.last_sent = now.boot;
  out.emplace_back(publish_effect{what.sequence, ++attempts_, server_, what.record});
}

void append_window::on_reply(const publish_reply& reply, instant now, std::vector<effect>& out) {
  if ((state_ != state::running && state_ != state::resolving) || slots_.empty()) return;
  if (reply.attempt < first_attempt_ && rules_.tells_attempts_apart) return;
  if (reply.sequence < slots_.front().sequence || reply.sequence > slots_.back().sequence) return;
  const std::size_t index = reply.sequence - slots_.front().sequence;
  switch (reply.outcome) {
    case publish_outcome::stored:
      if (reply.value != reply.sequence) {  // a server that heeds the expectation cannot say so
        state_ = state::contradicted;
        return;
      }
      below_since_.reset();
      slots_[index].is_acknowledged = true;
      if (!rules_.acknowledges_in_order) {
        for (std::size_t i = 0; i < index; ++i) slots_[i].is_acknowledged = true;
      }
      return land_acknowledged(now, out);
    case publish_outcome::failed: return resolve(now);
    case publish_outcome::wrong_last:
      resolve(now);
      if (index != 0) return;  // something happened to a record before it
      if (reply.value >= reply.sequence) {
        below_since_.reset();
        out.emplace_back(look_up_effect{reply.sequence, server_});
        next_try_ = now.boot + settings_.retry_interval;
      } else if (reply.value + 1 < reply.sequence && !below_since_) {
        below_since_ = now.boot;
        missing_ = 0;
      }
      return;
  }
}

void append_window::on_record(std::uint64_t sequence, const shared_record& record, instant now,
                              std::vector<effect>& out) {
  if ((state_ != state::running && state_ != state::resolving) || slots_.empty()) return;
  slot& oldest = slots_.front();
  if (sequence + 1 == oldest.sequence && below_since_) {
    below_since_ = now.boot;
    missing_ = 0;
  }
  if (sequence != oldest.sequence) return;
  below_since_.reset();
  if (*record == *oldest.record) {
    oldest.is_acknowledged = true;
    return land_acknowledged(now, out);
  }
  const auto other = decode_whole_record(*record);
  if (rules_.yields_to_live_records && (!other || chain_.is_followed_by(*other))) {
    state_ = state::fenced;
    return;
  }
  // A dead record: of a deposed owner, or one of this window that landed behind a dead one.
  chain_.skip_to(sequence);
  ++dead_records_;
  move_up();
  resolve(now);
  retry(now, out);
}

void append_window::on_missing(std::uint64_t sequence, instant now) {
  if (slots_.empty() || sequence + 1 != slots_.front().sequence || !below_since_) return;
  if (now.boot - *below_since_ >= settings_.lost_after && ++missing_ >= missing_max) state_ = state::lost;
}

void append_window::on_timer(instant now, std::vector<effect>& out) {
  if (slots_.empty()) return;
  if (state_ == state::running && now.boot >= slots_.front().last_sent + settings_.reply_timeout) resolve(now);
  if (state_ == state::resolving && now.boot >= next_try_) {
    ++server_;
    retry(now, out);
  }
}

boot_time append_window::next_deadline() const noexcept {
  if (slots_.empty()) return boot_time::max();
  if (state_ == state::running) return slots_.front().last_sent + settings_.reply_timeout;
  return state_ == state::resolving ? next_try_ : boot_time::max();
}

std::vector<append_window::landed_record> append_window::take_landed() {
  return std::exchange(landed_, {});
}

void append_window::land_oldest() {
  slot& oldest = slots_.front();
  log_record_header header;
  if (chain_.take(oldest.sequence, *oldest.record, header) != record_link::live) {
    state_ = state::contradicted;
    return;
  }
  landed_.push_back({oldest.sequence, header, oldest.record, oldest.first_sent, oldest.number});
  bytes_ -= oldest.record->size();
  slots_.pop_front();
}

// In order only: that a record stands at its sequence does not tell what stands before it.
void append_window::land_acknowledged(instant now, std::vector<effect>& out) {
  const std::size_t before = slots_.size();
  while (!slots_.empty() && slots_.front().is_acknowledged && state_ != state::contradicted) land_oldest();
  if (state_ != state::resolving || slots_.size() == before) return;
  if (slots_.empty()) {
    state_ = state::running;
  } else {
    retry(now, out);
  }
}

void append_window::resolve(instant now) {
  if (state_ != state::running) return;
  state_ = state::resolving;
  ++unknown_outcomes_;
  next_try_ = now.boot;
}

void append_window::retry(instant now, std::vector<effect>& out) {
  next_try_ = now.boot + settings_.retry_interval;
  if (!rules_.repeats_same_content) replace_content();
  slot& oldest = slots_.front();
  send(oldest, now, out);
  if (below_since_ && now.boot - *below_since_ >= settings_.lost_after) {
    out.emplace_back(look_up_effect{oldest.sequence - 1, server_});
  }
}

void append_window::move_up() {
  for (slot& each : slots_) {
    ++each.sequence;
    each.is_acknowledged = false;
  }
  first_attempt_ = attempts_ + 1;
}

// Makes all records of the window other ones. Only for a rule that is broken on purpose.
void append_window::replace_content() {
  std::uint64_t hash_before = chain_.state().hash;
  for (slot& each : slots_) {
    std::string record = each.record->substr(0, storage::log_record_header_bytes + each.header.payload_bytes);
    each.header.time += milliseconds(1);
    each.header.hash_before = hash_before;
    storage::frame_log_record(record, each.header);
    hash_before = each.header.hash;
    each.record = std::make_shared<const std::string>(std::move(record));
  }
}

}  // namespace ordem::cluster
