// The one actor that follows the log and puts it into the sink, on a thread of its own: batch after batch, behind the
// replies. What it can't put there it tries again, for as long as that can help.
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
#include "actors/replication/throttle.hpp"
#include "storage/log/sink.hpp"

namespace ordem::actors {

struct replicator_parts {
  storage::log* log = nullptr;
  storage::sink* sink = nullptr;
  actors::counters* counters = nullptr;
  backlog_limit* gate = nullptr;
  log_syncer_actor syncer;
  // How long entries gather before they are written. Zero: replies wait for them.
  std::chrono::milliseconds linger{};
  // Between two tries: first this long, then twice as long each time up to the longest; each shortened by up to half
  // at random, so that many engines don't come back to one Postgres at once.
  std::chrono::milliseconds retry_first{};
  std::chrono::milliseconds retry_longest{};
  std::uint64_t jitter_seed = 0;
  // Told after each batch and each failure.
  std::function<void()> on_progress;
  // Told when the sink fails, and when it is well again.
  std::function<void(std::string_view)> on_failure;
  std::function<void()> on_recovery;
  // Told when the sink holds less than it did before; what it lacks is then written again.
  std::function<void(position held, position before)> on_put_back;
  // Told once, when the sink has first had everything that the log held.
  std::function<void()> on_caught_up;
  // Told once, when the sink will never take anything again.
  std::function<void()> on_end;
  // No new batch is begun once this is set.
  const std::atomic<bool>* stopping = nullptr;
};

class postgres_replicator final : public replicator_actor::base {
 public:
  postgres_replicator(caf::actor_config& config, replicator_parts parts);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  bool replies_wait() const noexcept { return parts_.linger.count() == 0; }
  void note();
  void catch_up();
  // Each returns whether to go on.
  bool claim();
  std::optional<storage::error> check_claim(position held, const storage::has_entry& has) const;
  storage::error why_unreadable(position held, storage::log_read_error why) const;
  bool write_batch();
  void confirm(position through);
  void delay_after_batch(std::chrono::steady_clock::time_point begun, position durable_before);
  void recovered();
  void come_back_in(std::chrono::nanoseconds wait);
  bool failed(const storage::error& why);

  replicator_parts parts_;
  std::minstd_rand jitter_;
  bool scheduled_ = false;
  bool claimed_ = false;
  bool ended_ = false;
  bool well_ = true;
  bool caught_up_ = false;
  position persisted_;
  std::chrono::milliseconds next_retry_;

  throttle throttle_;
  std::chrono::nanoseconds rest_{};  // that the last batch calls for
  std::chrono::steady_clock::time_point paused_at_;
  position durable_at_pause_;
};

}  // namespace ordem::actors
