// The actor that consumes the log and writes it to the sink, in batches. A batch that fails is tried again unless the
// failure is final. Runs on its own thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <random>
#include <string_view>

#include "actors/counters.hpp"
#include "actors/interfaces.hpp"
#include "actors/replication/backlog_limit.hpp"
#include "actors/replication/replication_state.hpp"
#include "actors/replication/throttle.hpp"
#include "actors/replication/traced_positions.hpp"
#include "storage/log/sink.hpp"

namespace ordem::actors {

// What is given by pointer must outlive the actor.
struct replicator_parts {
  storage::log* log = nullptr;
  storage::sink* sink = nullptr;
  actors::counters* counters = nullptr;
  replication_state* replication = nullptr;
  backlog_limit* backlog = nullptr;
  log_syncer_actor syncer;
  // Takes the spans of sampled entries, and their positions; both null if there is no tracer.
  ordem::tracer* tracer = nullptr;
  traced_positions* traced = nullptr;
  // Whether replies wait for the sink (durability::postgres): then each group is written at once, without linger or
  // throttle.
  bool wait_for_persisted = false;
  // How long entries are collected before they are written.
  std::chrono::milliseconds linger{};
  // Delay before a failed batch is tried again: retry_first, then doubled up to retry_longest. Each is shortened by up
  // to half at random, so that many engines do not return to one Postgres at the same time.
  std::chrono::milliseconds retry_first{};
  std::chrono::milliseconds retry_longest{};
  std::uint64_t jitter_seed = 0;
  // See gateway_events.
  std::function<void(std::string_view message)> on_failure;
  std::function<void()> on_recovery;
  std::function<void(position held, position before)> on_put_back;
  std::function<void()> on_caught_up;
  std::function<void()> on_end;
  // No new batch is started once this is set.
  const std::atomic<bool>* stopping = nullptr;
};

class postgres_replicator final : public replicator_actor::base {
 public:
  postgres_replicator(caf::actor_config& config, replicator_parts parts);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  void on_replicate();
  void catch_up();
  // Claims the sink. Returns false after a failure.
  bool claim();
  std::optional<storage::error> check_claim(position held, const storage::has_entry& has) const;
  storage::error unreadable_log(position held, storage::log_read_error error) const;
  // Writes the next batch. Returns false after a failure.
  bool write_batch();
  void confirm(position through);
  void trace_write(position through, std::size_t entries, std::chrono::steady_clock::time_point start);
  void delay_after_batch(std::chrono::steady_clock::time_point start, position durable_before);
  void report_recovery();
  void schedule_in(std::chrono::nanoseconds delay);
  // Reports the failure and schedules another try, or ends replication. Returns false.
  bool handle_failure(const storage::error& failure);

  replicator_parts parts_;
  std::minstd_rand jitter_;
  bool scheduled_ = false;
  bool claimed_ = false;
  bool ended_ = false;
  bool healthy_ = true;
  bool caught_up_ = false;
  position persisted_;
  std::chrono::milliseconds next_retry_;

  throttle throttle_;
  std::chrono::nanoseconds delay_{};  // after the last batch
  std::chrono::steady_clock::time_point paused_at_;
  position durable_at_pause_;
};

}  // namespace ordem::actors
