// The only place where other threads and the actors meet. Owns the actors, the order loader and what they share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "actors/counters.hpp"
#include "actors/orders/dedupe_table.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/engine_port.hpp"
#include "engine/ports/readers.hpp"
#include "engine/ports/tracing.hpp"
#include "storage/log/log.hpp"
#include "storage/log/sink.hpp"
#include "storage/log/view.hpp"

namespace ordem::actors {

// How the log is replicated to the sink.
struct consumer_settings {
  // Whether replies wait until the sink has the entries that they depend on (durability::postgres).
  bool wait_for_persisted = false;
  // How far the log may be ahead of the sink, in bytes of its records. Beyond it every message is answered
  // `backlog_full`.
  std::uint64_t backlog_bytes_max = std::uint64_t{10} << 30;
  // How long entries are collected before they are written. Longer: fewer transactions, a longer lag. Ignored with
  // wait_for_persisted, where each group is written at once.
  milliseconds linger = milliseconds(50);
  // Delay before a failed batch is tried again: retry_first, then doubled up to retry_longest, each shortened by up to
  // half at random.
  milliseconds retry_first = milliseconds(100);
  milliseconds retry_longest = std::chrono::seconds(10);
};

struct gateway_settings {
  // Number of dedupe shards, and of order shards. More than cores gain nothing.
  std::uint32_t shards = 2;
  // Threads that run the shards and order actors when the submitting thread does not. The commit writer and the log
  // syncer have a thread each besides.
  std::uint32_t worker_threads = 2;
  in_flight_policy in_flight = in_flight_policy::join;
  // How long an outcome is kept.
  milliseconds message_ttl = std::chrono::hours(24);
  // Lease and time to live of captures.
  capture_terms captures{std::chrono::minutes(1), std::chrono::hours(24)};
  // Messages in flight; more are answered `overloaded`.
  std::size_t in_flight_max = 8192;
  // Orders kept in memory. Exceeded while more orders than this have work, which in_flight_max bounds.
  std::size_t live_orders_max = 100'000;
  // Delay before writes are tried again after a failure: write_retry_first, then doubled up to write_retry_longest.
  milliseconds write_retry_first = milliseconds(500);
  milliseconds write_retry_longest = std::chrono::seconds(10);
  // Seeds the random part of order ids and the jitter of retries.
  std::uint64_t id_seed = 0;
  consumer_settings consumer = {};
};

// What the gateway works on. All must outlive it.
struct gateway_ports {
  storage::log& log;
  storage::view_writer& view;
  const order_lookup& orders;
  const capture_reader& captures;
  const time_source& clock;
  // The greatest order id in the store; new ids are greater.
  std::optional<order_id> newest_order = std::nullopt;
  // The destination of the log; null if it is not replicated.
  storage::sink* sink = nullptr;
  // Takes the spans of sampled requests. Null: no submission has a trace.
  ordem::tracer* tracer = nullptr;
  // Where the gateway counts, so that the counts go on when another one follows; at most one gateway at a time. Null:
  // counters of its own.
  actors::counters* counters = nullptr;
};

// Called by the gateway's threads, which wait for them: they must not block for long, nor call the gateway.
struct gateway_events {
  // A write has failed; from now on every message is answered `read_only`. Called by the commit writer or the log
  // syncer.
  std::function<void()> on_write_failure = [] {};
  // The three below are called on a thread of the gateway's own. Writes do not work again yet, for the reason in
  // `message`; another try follows.
  std::function<void(std::string_view message)> on_write_retry = [](std::string_view) {};
  // Writes work again, and messages are taken.
  std::function<void()> on_write_recovery = [] {};
  // Writes will not work again before a restart. Called once.
  std::function<void(std::string_view message)> on_write_end = [](std::string_view) {};

  // Entries have become visible to reads. Called by the log syncer after each sync.
  std::function<void()> on_visible = [] {};

  // The others are called on the replicator's thread.

  // The sink has failed, for the reason in `message`.
  std::function<void(std::string_view message)> on_sink_failure = [](std::string_view) {};
  // The sink takes entries again after a failure.
  std::function<void()> on_sink_recovery = [] {};
  // The sink was restored to an earlier state; what it lacks is written again.
  std::function<void(position held, position before)> on_sink_put_back = [](position, position) {};
  // The sink has had the whole log for the first time. Called once.
  std::function<void()> on_caught_up = [] {};
  // The sink will never take this log again; from now on every message is answered `read_only`. Called once.
  std::function<void()> on_sink_end = [] {};
};

class gateway final : public message_port {
 public:
  gateway(gateway_settings settings, gateway_ports ports, gateway_events events = {});
  // Stops the actors. Messages still in flight get no reply and may or may not be executed; a repeat tells which.
  ~gateway() override;

  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  // Returns the number for the request tokens of this queue, which must outlive the gateway.
  // REQUIRES: nothing has been submitted yet.
  std::uint32_t add_queue(completion_queue& queue);

  void submit(std::vector<submission>&& submissions) override;

  // From now on answers every message `draining`, and waits for the replies to all earlier ones. Returns false if that
  // takes longer than `timeout`.
  bool drain(milliseconds timeout);

  // The log belongs to another engine from now on: answers every message `read_only`, those too that are appended and
  // not durable, or wait for the sink. drain() then waits for nothing but these answers. Thread-safe.
  void seal();

  // Starts replication if there is a sink. Called once.
  void start_consuming();
  // Waits until the sink has the whole log. Returns false if it is disconnected or that takes longer than `timeout`.
  // REQUIRES: drain() has been called.
  bool finish_consuming(milliseconds timeout);

  // The functions below are thread-safe.

  // Returns whether there is a sink.
  bool is_consumed() const noexcept;
  // Returns whether the sink takes entries.
  bool is_sink_connected() const noexcept;
  // Returns how far the log has come. `persisted` is absent without a sink and before it has been connected once.
  log_positions positions() const noexcept;
  // Returns the bytes of the log that the sink does not have yet.
  std::uint64_t backlog_bytes() const noexcept;

  const actors::counters& counters() const noexcept;
  std::size_t in_flight() const noexcept;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace ordem::actors
