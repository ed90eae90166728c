// The door between foreign threads and the actors: nothing else knows both sides. Owns all actors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "actors/counters.hpp"
#include "actors/orders/dedupe_table.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/engine_port.hpp"
#include "engine/ports/readers.hpp"
#include "storage/log/sink.hpp"
#include "storage/log/store.hpp"

namespace ordem::actors {

// How the log is followed into a sink.
struct consumer_settings {
  // Whether answers wait until the sink has what they speak of (with durability::postgres).
  bool answers_wait = false;
  // How far the log may be ahead of the sink, in bytes of its records; beyond it every message is answered
  // `backlog_full`.
  std::uint64_t backlog_bytes_max = std::uint64_t{10} << 30;
  // How long entries gather before they are written. Longer: fewer transactions, a longer lag. Not if answers wait.
  milliseconds linger = milliseconds(50);
  // Between two tries when the sink fails: from the first to the longest, doubled each time, shortened at random.
  milliseconds retry_first = milliseconds(100);
  milliseconds retry_longest = std::chrono::seconds(10);
  // All are called on the replicator's thread. A failure with the sentence that explains it; the end of a failure; when
  // the sink holds less than it did before, and is filled again from the log; once, when the sink has first had
  // everything that the log held; once, when the sink will never take anything again (from then on every message is
  // answered `read_only`).
  std::function<void(std::string_view)> on_failure = [](std::string_view) {};
  std::function<void()> on_recovery = [] {};
  std::function<void(position held, position before)> on_put_back = [](position, position) {};
  std::function<void()> on_caught_up = [] {};
  std::function<void()> on_end = [] {};
};

struct gateway_settings {
  // Dedupe shards, and as many order shards. More than cores gain nothing.
  std::uint32_t shards = 2;
  // Threads that run the shards and order actors where the submitting thread does not. The commit writer and the log
  // syncer each have one of their own.
  std::uint32_t worker_threads = 2;
  in_flight_policy in_flight = in_flight_policy::join;
  // How long an outcome is kept.
  milliseconds message_ttl = std::chrono::hours(24);
  // Of captures: how long an allocation excludes others, and how long they are kept.
  capture_terms captures{std::chrono::minutes(1), std::chrono::hours(24)};
  // Messages that may be executing at once; more are answered `overloaded`.
  std::size_t in_flight_max = 8192;
  // Orders that stay live. Below in_flight_max it is exceeded while orders have work.
  std::size_t live_orders_max = 100'000;
  // Seeds the random part of order ids.
  std::uint64_t id_seed = 0;
  // Called once, on the commit writer's or the log syncer's thread, when the log has failed; from then on every message
  // is answered `read_only`.
  std::function<void()> on_log_failure = [] {};
  // What follows the log, if anything; must outlive the gateway.
  storage::sink* sink = nullptr;
  consumer_settings consumer = {};
};

class gateway final : public message_port {
 public:
  // `store` and `clock` must outlive the gateway.
  gateway(gateway_settings settings, storage::store& store, const time_source& clock);
  ~gateway() override;

  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  // Before the first submission only. `queue` must outlive the gateway. Returns the number for this queue's tickets.
  std::uint32_t add_queue(completion_queue& queue);

  void submit(std::vector<submission>&& submissions) override;

  // From now on every message is answered `draining`; waits until all earlier ones are answered. False if that takes
  // longer than `timeout`. What is still out when the gateway goes may or may not be executed: nobody hears of it, and
  // a repeat tells.
  bool drain(milliseconds timeout);

  // Begins to bring the log to the sink, if there is one. Called once.
  void start_consuming();
  // After drain(): waits until the sink has the whole log. False if it is not reached, or that takes longer.
  bool finish_consuming(milliseconds timeout);

  // Whether there is a sink.
  bool is_consumed() const noexcept;
  // How far messages have come. `persisted` is absent without a sink, and until it has been reached once.
  log_positions positions() const noexcept;
  // The bytes of the log that the sink does not have yet.
  std::uint64_t backlog_bytes() const noexcept;

  const actors::counters& counters() const noexcept;
  std::size_t in_flight() const noexcept;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace ordem::actors
