#include "actors/commit_writer.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace ordem::actors {
namespace {

std::size_t commit_bucket(std::uint64_t us) {
  return static_cast<std::size_t>(std::lower_bound(commit_us_bounds.begin(), commit_us_bounds.end(), us) -
                                  commit_us_bounds.begin());
}

}  // namespace

commit_writer::commit_writer(caf::actor_config& config, commit_writer_parts parts)
    : commit_writer_actor::base(config), parts_(std::move(parts)) {
  stop_on_exception(this);
}

commit_writer::behavior_type commit_writer::make_behavior() {
  return {
      [this](introduce& listeners) { listeners_ = std::move(listeners); },
      [this](commit& decisions) { gather(decisions); },
      [this](flush) { flush_group(); },
  };
}

void commit_writer::on_exit() { listeners_ = introduce{}; }

void commit_writer::gather(commit& decisions) {
  if (settlements_.empty()) send(this, flush{});
  for (decided& each : decisions.decisions) {
    if (settlements_.size() == storage::group_entries_max) flush_group();
    settlements_.push_back(std::move(each.settlement));
    if (each.entry) entries_.push_back(std::move(*each.entry));
  }
}

void commit_writer::flush_group() {
  if (settlements_.empty()) return;
  if (!entries_.empty()) write_group();
  settle_group();
}

void commit_writer::write_group() {
  const auto begun = std::chrono::steady_clock::now();
  const auto written = parts_.log->append(entries_);
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);

  if (written) {
    const auto us = static_cast<std::uint64_t>(took.count());
    add(parts_.counters->commits, 1);
    add(parts_.counters->entries, entries_.size());
    add(parts_.counters->commit_us, us);
    add(parts_.counters->commits_by_us[commit_bucket(us)], 1);
  } else {
    // Whether the group is on the disk is unknown. Nobody is told that it is; after the restart a repeat will learn which.
    for (settlement& each : settlements_) {
      if (std::holds_alternative<executed>(each.answer)) each.answer = refusal{unavailability::read_only};
    }
    if (written.error() == storage::append_error::write_failed) parts_.on_failure();
  }
  entries_.clear();
}

// Everybody who waits for this group hears of it here, once.
void commit_writer::settle_group() {
  std::array<std::uint64_t, std::tuple_size_v<decltype(counters::outcomes)>> outcomes{};
  std::uint64_t refusals = 0;
  std::vector<reply> replies;
  replies.reserve(settlements_.size());
  for (const settlement& each : settlements_) {
    replies.push_back({each.ticket, each.answer});
    const auto* answered = std::get_if<executed>(&each.answer);
    ++(answered != nullptr ? outcomes[static_cast<std::size_t>(answered->outcome.verdict)] : refusals);
  }
  const settle notice{std::make_shared<const std::vector<settlement>>(std::exchange(settlements_, {}))};
  parts_.replies->answer(std::move(replies));
  for (const auto& shard : listeners_.shards) send(shard, notice);
  for (const auto& keeper : listeners_.keepers) send(keeper, notice);

  for (std::size_t i = 0; i < outcomes.size(); ++i) add(parts_.counters->outcomes[i], outcomes[i]);
  add(parts_.counters->refusals, refusals);
}

}  // namespace ordem::actors
