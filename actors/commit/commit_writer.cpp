#include "actors/commit/commit_writer.hpp"

#include <utility>

namespace ordem::actors {

commit_writer::commit_writer(caf::actor_config& config, commit_writer_parts parts)
    : commit_writer_actor::base(config), parts_(std::move(parts)) {
  stop_on_exception(this);
}

commit_writer::behavior_type commit_writer::make_behavior() {
  return {[this](flush) { write_all(); }};
}

void commit_writer::on_exit() {
  // Drops its references, since actors in a cycle of references are never destroyed.
  parts_.syncer = log_syncer_actor{};
  parts_.decisions.reset();
}

void commit_writer::write_all() {
  parts_.decisions->take(taken_);
  for (auto& pushed : taken_) {
    for (decided& each : pushed) append(std::move(each));
  }
  write_group();
}

void commit_writer::append(decided&& decision) {
  if (completions_.size() == storage::group_entries_max || bytes_ >= storage::group_bytes_max) write_group();
  completions_.push_back(std::move(decision.completion));
  if (decision.trace.trace) {
    const auto number = decision.entry ? std::optional(entries_.size()) : std::nullopt;
    traced_.push_back({std::move(decision.trace), number});
  }
  if (!decision.entry) return;
  bytes_ += storage::logged_bytes_max(*decision.entry);
  entries_.push_back(std::move(*decision.entry));
}

// Returns the sampled decisions of the group. `first` is the position of its first entry, absent if it was not
// appended.
std::vector<traced_decision> commit_writer::take_traced(std::optional<position> first) {
  std::vector<traced_decision> taken;
  taken.reserve(traced_.size());
  for (traced_entry& each : traced_) {
    traced_decision& made = taken.emplace_back();
    made.decision = std::move(each.decision);
    if (!each.entry) continue;
    made.failed = !first;
    if (!first) continue;
    made.position = position{first->number + *each.entry};
    // Before the entry can be durable, and so before the replicator can write it.
    if (parts_.traced != nullptr) parts_.traced->add(*made.position, made.decision.trace);
  }
  traced_.clear();
  return taken;
}

void commit_writer::write_group() {
  if (completions_.empty()) return;
  // A completion without an entry waits for the sync too: its answer may depend on an entry that is not durable yet, or
  // that a group before this one failed to write.
  position last = parts_.log->appended();
  if (*parts_.sealed) {
    fail_all(completions_);
    entries_.clear();
  } else if (!entries_.empty()) {
    if (const auto appended = parts_.log->append(entries_); appended) {
      last = *appended;
    } else {
      fail_all(completions_);
      entries_.clear();
      if (appended.error() == storage::log_error::write_failed) parts_.on_failure();
    }
  }
  const position first{last.number + 1 - entries_.size()};
  std::vector<traced_decision> traced;
  if (!traced_.empty()) traced = take_traced(entries_.empty() ? std::nullopt : std::optional(first));
  send(parts_.syncer, make_durable{std::exchange(completions_, {}), std::exchange(entries_, {}), first,
                                   std::exchange(bytes_, 0), std::move(traced)});
}

}  // namespace ordem::actors
