#include "cluster/protocol/node_core.hpp"

#include <algorithm>
#include <utility>

#include "cluster/protocol/control_record.hpp"
#include "engine/base/check.hpp"

namespace ordem::cluster {

using storage::log_record_header;
using storage::log_record_kind;

namespace {

// After a longer time without an event the process was paused: what it has not heard may be waiting for it.
constexpr milliseconds paused_after = 2 * heartbeat_interval;

template <class Record>
std::string control_record(const Record& what) {
  std::string record(storage::log_record_header_bytes, '\0');
  encode_control_record(record, what);
  return record;
}

}  // namespace

node_core::node_core(node_settings settings, chain_state from, instant now, protocol_rules rules)
    : settings_(std::move(settings)),
      rules_(rules),
      chain_(std::move(from), rules),
      heard_(now.boot),
      noticed_(now.boot),
      next_heartbeat_(now.boot),
      old_record_seen_(now.boot),
      known_last_(chain_.state().read_to),
      visible_(chain_.state().last),
      applied_(chain_.state().last),
      lease_(rules) {
  ORDEM_CHECK(!settings_.node.empty() && settings_.node.size() <= node_name_bytes_max);
}

// --- what happened ---

void node_core::notice(instant now) {
  if (now.boot - noticed_ > paused_after) heard_ = now.boot;
  noticed_ = now.boot;
}

void node_core::on_record(std::uint64_t sequence, const shared_record& record, instant now) {
  if (role_ == node_role::stopped) return;
  notice(now);
  known_last_ = std::max(known_last_, sequence);
  if (window_ && !window_->empty()) {
    window_->on_record(sequence, record, now, effects_);
    if (window_->current() != append_window::state::fenced) return after_window(now);
    lose(ownership_end::fenced, now);
  } else if (window_ && sequence == chain_.next_sequence()) {
    const auto header = decode_whole_record(*record);
    if (!header || chain_.is_followed_by(*header)) lose(ownership_end::fenced, now);
  }
  take(sequence, record, now);
}

void node_core::take(std::uint64_t sequence, const shared_record& record, instant now) {
  log_record_header header;
  switch (chain_.take(sequence, *record, header)) {
    case record_link::gap: return;
    case record_link::damaged: return stop(stop_reason::damaged_record, sequence, now);
    case record_link::dead:
      ++dead_records_;
      short_since_.reset();
      return;
    case record_link::live: break;
  }
  short_since_.reset();
  heard_ = old_record_seen_ = now.boot;
  visible_ = std::max(visible_, header.durable);
  hand_out({sequence, header, record, false});
  if (const auto at = claim_time(now.boot); at && *at <= now.boot) claim(now);
}

// A node that shows a record before the owner does would let time go back for a client that reads from both.
void node_core::hand_out(record_effect what) {
  held_.push_back(std::move(what));
  hand_out_held();
}

void node_core::hand_out_held() {
  while (!held_.empty()) {
    const log_record_header& next = held_.front().header;
    const bool is_shown = next.entries == 0 || next.last() <= visible_;
    if (!is_shown && role_ != node_role::owner && rules_.follows_owner) return;
    effects_.emplace_back(std::move(held_.front()));
    held_.pop_front();
  }
}

void node_core::on_applied(position applied) {
  applied_ = std::max(applied_, applied);
  on_visible(applied);
}

void node_core::on_visible(position visible) {
  if (role_ == node_role::stopped) return;
  visible_ = std::max(visible_, visible);
  hand_out_held();
}

void node_core::on_missing(std::uint64_t sequence, instant now) {
  if (role_ == node_role::stopped || !window_) return;
  notice(now);
  window_->on_missing(sequence, now);
  after_window(now);
}

void node_core::on_stream_state(std::uint64_t first, std::uint64_t last, instant now) {
  if (role_ == node_role::stopped) return;
  notice(now);
  const std::uint64_t known = std::max(known_last_, chain_.state().read_to);
  known_last_ = std::max(known_last_, last);
  if (window_) return;  // its appends tell where the log ends
  if (first > chain_.next_sequence()) return stop(stop_reason::trimmed, chain_.next_sequence(), now);
  if (last < known) {
    if (!short_since_) short_since_ = now.boot;
    if (now.boot - *short_since_ >= settings_.append.lost_after) stop(stop_reason::lost_records, last + 1, now);
    return;
  }
  short_since_.reset();
  if (role_ == node_role::joining && last < chain_.next_sequence() && chain_.state().sequence > 0) {
    role_ = node_role::standby;
    heard_ = now.boot;
  }
}

void node_core::on_publish_reply(const publish_reply& reply, instant now) {
  if (role_ == node_role::stopped || !window_) return;
  notice(now);
  window_->on_reply(reply, now, effects_);
  after_window(now);
}

void node_core::on_heartbeat(const heartbeat& from, instant now) {
  if (role_ == node_role::stopped || from.node == settings_.node) return;
  notice(now);
  known_last_ = std::max(known_last_, from.sequence);
  const chain_state& read = chain_.state();
  const bool is_owner = from.role == node_role::owner || (from.role == node_role::claiming && from.owner == from.node);
  if (is_owner && from.epoch >= read.epoch) {
    heard_ = now.boot;
    if (from.sequence == read.sequence && from.epoch == read.epoch && from.hash != read.hash) {
      return stop(stop_reason::lost_records, from.sequence, now);
    }
  }
  std::erase_if(peers_, [now](const auto& each) { return now.boot - each.second.heard > peer_forgotten_after; });
  // It shows that itself, by the same rule.
  on_visible(from.applied);
  if (peers_.size() < peers_max || peers_.contains(from.node)) peers_[from.node] = {from, now.boot};
}

void node_core::on_connection(bool works, instant now) {
  if (role_ == node_role::stopped) return;
  notice(now);
  if (works && !is_connected_) heard_ = now.boot;
  is_connected_ = works;
}

void node_core::on_timer(instant now) {
  notice(now);
  if (window_) {
    window_->on_timer(now, effects_);
    after_window(now);
  }
  if (const auto at = claim_time(now.boot); at && *at <= now.boot) claim(now);
  if (now.boot >= next_heartbeat_) {
    next_heartbeat_ = now.boot + heartbeat_interval;
    effects_.emplace_back(heartbeat_effect{own_heartbeat()});
  }
}

// --- what the node wants ---

bool node_core::has_room(std::size_t bytes) const noexcept {
  return role_ == node_role::owner && !is_releasing_ && window_->has_room(bytes);
}

void node_core::append(std::string record, std::uint32_t entries, instant now) {
  ORDEM_CHECK(has_room(record.size()) && entries > 0);
  window_->append(log_record_kind::group, std::move(record), entries, applied_, now, effects_);
  next_position_.number += entries;
}

void node_core::request_read(std::uint64_t ticket, instant now) {
  if (role_ != node_role::owner) {
    effects_.emplace_back(read_refused_effect{ticket});
    return;
  }
  lease_.request(ticket, window_->appended(), now.boot, effects_);
  append_what_waits(now);
}

boot_time node_core::lease_end() const noexcept {
  if (role_ != node_role::owner) return boot_time::min();
  return rules_.checks_lease ? lease_.end() : boot_time::max();
}

bool node_core::release(const std::string& successor, instant now) {
  if (role_ != node_role::owner || is_releasing_) return false;
  ORDEM_CHECK(successor.size() <= node_name_bytes_max);
  is_releasing_ = true;
  successor_ = successor;
  if (rules_.ends_lease_at_release) {
    lease_.end_now();
    lease_.refuse_all(effects_);
  }
  append_what_waits(now);
  return true;
}

void node_core::fail(stop_reason reason, instant now) {
  if (role_ != node_role::stopped) stop(reason, chain_.state().read_to, now);
}

std::vector<effect> node_core::take_effects() {
  return std::exchange(effects_, {});
}

boot_time node_core::next_deadline() const noexcept {
  boot_time next = next_heartbeat_;
  if (window_) next = std::min(next, window_->next_deadline());
  if (begins_) next = std::min(next, *begins_);
  if (const auto at = claim_time(noticed_)) next = std::min(next, *at);
  return next;
}

// --- ownership ---

// Counts the nodes that claim before this one.
std::size_t node_core::rank(boot_time now) const {
  const auto claims_earlier = [&](const auto& each) {
    const auto& [name, of] = each;
    return of.last.role == node_role::standby && now - of.heard <= peer_forgotten_after && name < settings_.node &&
           of.last.sequence >= chain_.state().sequence;
  };
  return static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), claims_earlier));
}

// Returns when the node claims the log if it hears nothing until then, or nullopt if it may not.
std::optional<boot_time> node_core::claim_time(boot_time now) const {
  if (role_ != node_role::standby || !is_connected_ || !may_claim_) return std::nullopt;
  const chain_state& read = chain_.state();
  // Else it could go on at a tail that has lost what others have read.
  if (read.read_to < known_last_ && rules_.claims_at_read_tail) return std::nullopt;
  if (read.is_released && read.successor == settings_.node) return now;
  // An earlier process of this node owned it, which has ended.
  if (read.owner == settings_.node && read.nonce != settings_.nonce) return now;
  return heard_ + settings_.takeover_after + rank(now) * takeover_turn;
}

void node_core::claim(instant now) {
  const chain_state& read = chain_.state();
  role_ = node_role::claiming;
  waits_for_old_lease_ = read.epoch > 0 && !read.is_released && rules_.waits_for_old_lease;
  if (!rules_.claims_at_read_tail) chain_.skip_to(std::max(read.read_to, known_last_));
  lease_ = read_lease(rules_);
  window_.emplace(chain_, read.epoch + 1, attempts_, settings_.append, rules_);
  window_->append(log_record_kind::epoch,
                  control_record(epoch_record{settings_.node, settings_.nonce, settings_.http_address}), 0, applied_,
                  now, effects_);
}

// Handles what the window has found out. Records come before the effects that follow from them.
void node_core::after_window(instant now) {
  if (!window_) return;
  bool is_released = false;
  const auto landed = window_->take_landed();
  for (const auto& each : landed) {
    if (rules_.applies_after_acknowledgement) hand_out({each.sequence, each.header, each.record, true});
  }
  const bool has_group =
      std::any_of(landed.begin(), landed.end(), [](const auto& each) { return each.header.entries; });
  if (has_group) effects_.emplace_back(acknowledged_effect{chain_.state().last});
  for (const auto& each : landed) {
    if (each.header.kind == log_record_kind::epoch) {
      begins_ = waits_for_old_lease_ ? std::max(now.boot, old_record_seen_ + wait_for_old_lease) : now.boot;
    }
    lease_.renew(each.first_sent, each.number, now.boot, effects_);
    if (each.header.kind == log_record_kind::release) is_released = true;
  }
  if (is_released) return lose(ownership_end::released, now);
  switch (window_->current()) {
    case append_window::state::running:
    case append_window::state::resolving:
    case append_window::state::fenced: break;
    case append_window::state::lost: return stop(stop_reason::lost_records, chain_.state().read_to, now);
    case append_window::state::contradicted: return stop(stop_reason::contradiction, chain_.next_sequence(), now);
  }
  if (begins_ && *begins_ <= now.boot) {
    begins_.reset();
    role_ = node_role::owner;
    hand_out_held();
    next_position_ = {chain_.state().last.number + 1};
    effects_.emplace_back(ownership_begun_effect{chain_.state().epoch, chain_.state().last});
  }
  append_what_waits(now);
}

void node_core::append_what_waits(instant now) {
  if (role_ != node_role::owner || window_->current() != append_window::state::running || release_appended_) return;
  if (is_releasing_) {
    release_appended_ = true;
    window_->append(log_record_kind::release, control_record(release_record{successor_}), 0, applied_, now, effects_);
  } else if (const auto appended = lease_.awaited(); appended && window_->appended() <= *appended) {
    window_->append(log_record_kind::barrier, std::string(storage::log_record_header_bytes, '\0'), 0, applied_, now,
                    effects_);
  }
}

void node_core::lose(ownership_end reason, instant now) {
  lease_.refuse_all(effects_);
  lease_.end_now();
  if (role_ == node_role::owner) effects_.emplace_back(ownership_ended_effect{chain_.state().epoch, reason});
  unknown_outcomes_ += window_->unknown_outcomes();
  dead_records_ += window_->dead_records();
  attempts_ = window_->attempts();
  window_.reset();
  begins_.reset();
  is_releasing_ = release_appended_ = false;
  role_ = node_role::standby;
  heard_ = now.boot;
}

void node_core::stop(stop_reason reason, std::uint64_t sequence, instant now) {
  if (window_) lose(ownership_end::stopped, now);
  role_ = node_role::stopped;
  effects_.emplace_back(stopped_effect{reason, sequence});
}

// --- state ---

heartbeat node_core::own_heartbeat() const {
  const chain_state& read = chain_.state();
  // Others need not wait for the turn of a node that takes none.
  const bool takes_turns = role_ != node_role::standby || may_claim_;
  return {settings_.node,
          settings_.nonce,
          takes_turns ? role_ : node_role::joining,
          read.epoch,
          read.sequence,
          read.hash,
          applied_,
          read.owner,
          settings_.http_address,
          settings_.program_version};
}

std::uint64_t node_core::stream_last() const noexcept {
  return std::max(known_last_, chain_.state().read_to);
}

std::uint64_t node_core::dead_records() const noexcept {
  return dead_records_ + (window_ ? window_->dead_records() : 0);
}

std::uint64_t node_core::unknown_outcomes() const noexcept {
  return unknown_outcomes_ + (window_ ? window_->unknown_outcomes() : 0);
}

}  // namespace ordem::cluster
