#include "actors/replication/postgres_replicator.hpp"

#include <algorithm>
#include <utility>

namespace ordem::actors {
namespace {

// Entries per transaction: enough to make the cost of its round trips per entry small.
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
      [this](replicate) { on_replicate(); },
      [this](flush) { catch_up(); },
  };
}

void postgres_replicator::on_exit() {
  parts_.syncer = log_syncer_actor{};
}

void postgres_replicator::on_replicate() {
  if (scheduled_) return;
  if (parts_.wait_for_persisted) {
    catch_up();
  } else {
    schedule_in(parts_.linger);
  }
}

void postgres_replicator::catch_up() {
  scheduled_ = false;
  parts_.replication->end_notification();
  if (ended_ || (!claimed_ && !claim())) return;
  while (persisted_ < parts_.log->last()) {
    if (*parts_.stopping || !write_batch()) return;
    if (delay_.count() > 0) return schedule_in(delay_);
  }
  report_recovery();
  if (!std::exchange(caught_up_, true)) parts_.on_caught_up();
}

bool postgres_replicator::claim() {
  if (*parts_.stopping) return false;
  const auto held =
      parts_.sink->claim([this](position at, const storage::has_entry& has) { return check_claim(at, has); });
  if (!held) return handle_failure(held.error());
  claimed_ = true;
  if (*held < persisted_) parts_.on_put_back(*held, persisted_);
  parts_.replication->set_connected();
  confirm(*held);
  return true;
}

void postgres_replicator::schedule_in(std::chrono::nanoseconds delay) {
  scheduled_ = true;
  delayed_send(this, delay, flush{});
}

// Returns why this engine must not write to the sink, or nullopt if it may. The sink must hold a prefix of this log,
// and the log must hold the next entry. The first fails if the folder is an old copy, or if another engine continued
// from a copy of it; the second, if the sink was restored to a state from before the log begins.
std::optional<storage::error> postgres_replicator::check_claim(position held, const storage::has_entry& has) const {
  if (held > parts_.log->last()) {
    return storage::error{storage::error_code::permanent,
                          "it holds " + std::to_string(held.number) + " entries, but the data folder only " +
                              std::to_string(parts_.log->last().number) + ": the folder is an old copy"};
  }
  if (const auto next = parts_.log->read({held.number + 1}, 1); !next) return unreadable_log(held, next.error());
  if (held == position{}) return std::nullopt;
  const auto last = parts_.log->read(held, 1);
  if (!last && last.error() != storage::log_read_error::trimmed) return unreadable_log(held, last.error());
  // A log that begins after `held` was restored from what the sink holds.
  if (!last || last->empty() || last->front().position != held || has(last->front())) return std::nullopt;
  return storage::error{storage::error_code::permanent,
                        "at position " + std::to_string(held.number) +
                            " it holds another entry than the data folder: another engine has gone on "
                            "from a copy of the folder"};
}

// Returns the failure for a log that can't be read behind `held`.
storage::error postgres_replicator::unreadable_log(position held, storage::log_read_error error) const {
  storage::error storage_failed{storage::error_code::io_error, "the log can't be read"};
  switch (error) {
    case storage::log_read_error::trimmed: break;
    case storage::log_read_error::storage_failed: return storage_failed;
  }
  const position first = parts_.log->first();
  return {storage::error_code::permanent,
          "it holds the log up to position " + std::to_string(held.number) +
              ", but the log of the data folder begins at position " + std::to_string(first.number) +
              ": it was put back to an earlier state, or replaced, or not written to for too long. Put it back to a "
              "state that holds position " +
              std::to_string(first.number - 1) +
              " or a later one, or serve without it; docs/operations.md says what each of these gives up"};
}

bool postgres_replicator::write_batch() {
  const auto start = std::chrono::steady_clock::now();
  const position durable_before = parts_.log->last();
  const auto entries = parts_.log->read({persisted_.number + 1}, batch_entries_max);
  if (!entries) return handle_failure(unreadable_log(persisted_, entries.error()));
  const auto write_start = std::chrono::steady_clock::now();
  if (const auto written = parts_.sink->write(*entries); !written) return handle_failure(written.error());
  if (parts_.tracer != nullptr) trace_write(entries->back().position, entries->size(), write_start);
  add(parts_.counters->persisted_batches, 1);
  next_retry_ = parts_.retry_first;
  confirm(entries->back().position);
  report_recovery();
  delay_after_batch(start, durable_before);
  return true;
}

// Records the write as a span of each sampled request whose entry was in it, or in an earlier one whose end is unknown.
void postgres_replicator::trace_write(position through, std::size_t entries,
                                      std::chrono::steady_clock::time_point start) {
  const auto written = parts_.traced->take_through(through);
  if (written.empty()) return;
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [at, trace] : written) {
    auto span = child_span(*parts_.tracer, *trace, "write to Postgres", start, now);
    span.kind = span_kind::client;
    span.attributes = {{"db.system.name", "postgresql"},
                       {"ordem.position", static_cast<std::int64_t>(at.number)},
                       {"ordem.write.entries", static_cast<std::int64_t>(entries)}};
    parts_.tracer->record(std::move(span));
  }
}

void postgres_replicator::delay_after_batch(std::chrono::steady_clock::time_point start, position durable_before) {
  if (parts_.wait_for_persisted) return;
  const auto now = std::chrono::steady_clock::now();
  const position durable = parts_.log->last();
  const bool no_room = parts_.backlog->bytes() >= parts_.backlog->bytes_max() / 2;
  delay_ = throttle_.delay_after({start - paused_at_, durable_before.number - durable_at_pause_.number},
                                 {now - start, durable.number - durable_before.number}, no_room);
  paused_at_ = now;
  durable_at_pause_ = durable;
}

void postgres_replicator::confirm(position through) {
  persisted_ = through;
  parts_.log->release(storage::log_consumer::sink, through);
  parts_.backlog->consumed_through(through);
  parts_.replication->set_persisted(through);
  send(parts_.syncer, persisted{through});
}

void postgres_replicator::report_recovery() {
  if (!std::exchange(healthy_, true)) parts_.on_recovery();
}

bool postgres_replicator::handle_failure(const storage::error& failure) {
  claimed_ = false;
  parts_.replication->set_disconnected();
  if (*parts_.stopping) return false;
  add(parts_.counters->persist_failures, 1);
  healthy_ = false;
  parts_.on_failure(failure.message);
  if (failure.code == storage::error_code::permanent) {
    ended_ = true;
    parts_.on_end();
    send(parts_.syncer, fail_replication{});
    return false;
  }
  const auto delay_max = next_retry_.count();
  schedule_in(std::chrono::milliseconds(std::uniform_int_distribution(delay_max - delay_max / 2, delay_max)(jitter_)));
  next_retry_ = std::min(next_retry_ * 2, parts_.retry_longest);
  return false;
}

}  // namespace ordem::actors
