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
  if (!decision.entry) return;
  bytes_ += storage::logged_bytes_max(*decision.entry);
  entries_.push_back(std::move(*decision.entry));
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
  bytes_ = 0;
  const position first{last.number + 1 - entries_.size()};
  send(parts_.syncer, make_durable{std::exchange(completions_, {}), std::exchange(entries_, {}), first});
}

}  // namespace ordem::actors
