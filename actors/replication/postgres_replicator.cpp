#include "actors/replication/postgres_replicator.hpp"

#include <algorithm>
#include <utility>

namespace ordem::actors {
namespace {

// Entries a transaction: enough that its round trips cost each of them little.
constexpr std::size_t batch_entries_max = 4096;

}  // namespace

postgres_replicator::postgres_replicator(caf::actor_config& config, replicator_parts parts)
    : replicator_actor::base(config),
      parts_(std::move(parts)),
      jitter_(static_cast<std::minstd_rand::result_type>(parts_.jitter_seed)),
      next_retry_(parts_.retry_first) {
  stop_on_exception(this);
}

postgres_replicator::behavior_type postgres_replicator::make_behavior() {
  return {
      [this](replicate) { note(); },
      [this](flush) { catch_up(); },
  };
}

void postgres_replicator::on_exit() {
  parts_.syncer = log_syncer_actor{};
}

void postgres_replicator::note() {
  if (scheduled_) return;
  if (replies_wait()) {
    catch_up();
  } else {
    come_back_in(parts_.linger);
  }
}

void postgres_replicator::catch_up() {
  scheduled_ = false;
  parts_.counters->replicator_notified.store(false);  // what becomes durable from here on brings a new note
  if (ended_ || (!claimed_ && !claim())) return;
  while (persisted_ < parts_.log->last()) {
    if (*parts_.stopping || !write_batch()) return;
    if (rest_.count() > 0) return come_back_in(rest_);
  }
  recovered();
  if (!std::exchange(caught_up_, true)) parts_.on_caught_up();
}

bool postgres_replicator::claim() {
  if (*parts_.stopping) return false;
  const auto held =
      parts_.sink->claim([this](position at, const storage::has_entry& has) { return check_claim(at, has); });
  if (!held) return failed(held.error());
  claimed_ = true;
  if (*held < persisted_) parts_.on_put_back(*held, persisted_);
  parts_.counters->replicator_connected.store(true, std::memory_order_relaxed);
  confirm(*held);
  return true;
}

void postgres_replicator::come_back_in(std::chrono::nanoseconds wait) {
  scheduled_ = true;
  delayed_send(this, wait, flush{});
}

// What the sink holds must be the beginning of this log, and the log must hold what comes next. The first is not so if
// the folder is an old copy, or if another engine went on from a copy of it while this one wrote what that one never
// had; the second, if the sink was put back to a state from before the log begins.
std::optional<storage::error> postgres_replicator::check_claim(position held, const storage::has_entry& has) const {
  if (held > parts_.log->last()) {
    return storage::error{storage::error_code::permanent,
                          "it holds " + std::to_string(held.number) + " entries, but the data folder only " +
                              std::to_string(parts_.log->last().number) + ": the folder is an old copy"};
  }
  if (const auto next = parts_.log->read_log({held.number + 1}, 1); !next) return why_unreadable(held, next.error());
  if (held == position{}) return std::nullopt;
  const auto last = parts_.log->read_log(held, 1);
  if (!last && last.error() != storage::log_read_error::trimmed) return why_unreadable(held, last.error());
  // A log that begins after it, as a restored one does, was made from what the sink holds.
  if (!last || last->empty() || last->front().position != held || has(last->front())) return std::nullopt;
  return storage::error{storage::error_code::permanent,
                        "at position " + std::to_string(held.number) +
                            " it holds another entry than the data folder: another engine has gone on "
                            "from a copy of the folder"};
}

// Why what comes after `held` can't be written.
storage::error postgres_replicator::why_unreadable(position held, storage::log_read_error why) const {
  const storage::error storage_failed{storage::error_code::io_error, "the log can't be read"};
  switch (why) {
    case storage::log_read_error::trimmed: break;
    case storage::log_read_error::storage_failed: return storage_failed;
  }
  const auto first = parts_.log->first();
  if (!first) return storage_failed;
  return {storage::error_code::permanent,
          "it holds the log up to position " + std::to_string(held.number) +
              ", but the log of the data folder begins at position " + std::to_string(first->number) +
              ": it was put back to an earlier state, or exchanged, or not followed for too long. Put it back to a "
              "state that holds position " +
              std::to_string(first->number - 1) +
              " or a later one, or serve without it; docs/operations.md says what each of these gives up"};
}

bool postgres_replicator::write_batch() {
  const auto begun = std::chrono::steady_clock::now();
  const position durable_before = parts_.log->last();
  const auto entries = parts_.log->read_log({persisted_.number + 1}, batch_entries_max);
  if (!entries) return failed(why_unreadable(persisted_, entries.error()));
  if (const auto written = parts_.sink->write(*entries); !written) return failed(written.error());
  add(parts_.counters->persisted_batches, 1);
  next_retry_ = parts_.retry_first;
  confirm(entries->back().position);
  recovered();
  delay_after_batch(begun, durable_before);
  return true;
}

void postgres_replicator::delay_after_batch(std::chrono::steady_clock::time_point begun, position durable_before) {
  if (replies_wait()) return;
  const auto now = std::chrono::steady_clock::now();
  const position durable = parts_.log->last();
  const bool no_room = parts_.gate->bytes() >= parts_.gate->bytes_max() / 2;
  rest_ = throttle_.delay_after({begun - paused_at_, durable_before.number - durable_at_pause_.number},
                                {now - begun, durable.number - durable_before.number}, no_room);
  paused_at_ = now;
  durable_at_pause_ = durable;
}

void postgres_replicator::confirm(position through) {
  persisted_ = through;
  parts_.log->confirm_persisted(through);
  parts_.gate->consumed_through(through);
  parts_.counters->persisted.store(through.number, std::memory_order_release);
  parts_.counters->replicator_position.store(true);
  parts_.on_progress();
  send(parts_.syncer, persisted{through});
}

void postgres_replicator::recovered() {
  if (!std::exchange(well_, true)) parts_.on_recovery();
}

bool postgres_replicator::failed(const storage::error& why) {
  claimed_ = false;
  parts_.counters->replicator_connected.store(false, std::memory_order_relaxed);
  if (*parts_.stopping) return false;
  parts_.on_progress();
  add(parts_.counters->persist_failures, 1);
  well_ = false;
  parts_.on_failure(why.message);
  if (why.code == storage::error_code::permanent) {
    ended_ = true;
    parts_.on_end();
    send(parts_.syncer, fail_replication{});
    return false;
  }
  const auto most = next_retry_.count();
  come_back_in(std::chrono::milliseconds(std::uniform_int_distribution(most - most / 2, most)(jitter_)));
  next_retry_ = std::min(next_retry_ * 2, parts_.retry_longest);
  return false;
}

}  // namespace ordem::actors
