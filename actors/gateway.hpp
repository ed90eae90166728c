// The door between foreign threads and the actors: nothing else knows both sides. Owns all actors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "actors/counters.hpp"
#include "actors/dedupe_table.hpp"
#include "engine/port.hpp"
#include "engine/time.hpp"
#include "storage/store.hpp"

namespace ordem::actors {

struct gateway_settings {
  // Dedupe shards, and as many order keepers. More than cores gain nothing.
  std::uint32_t shards = 2;
  // Threads that run the shards, keepers and orders. The commit writer and the log syncer each have one of their own.
  std::uint32_t worker_threads = 2;
  in_flight_policy in_flight = in_flight_policy::join;
  // How long an outcome is kept.
  milliseconds message_ttl = std::chrono::hours(24);
  // Messages that may be executing at once; more are answered `overloaded`.
  std::size_t in_flight_max = 8192;
  // Orders that stay live, each with an actor of its own. Below in_flight_max it is exceeded while orders have work.
  std::size_t live_orders_max = 100'000;
  // Seeds the random part of order ids.
  std::uint64_t id_seed = 0;
  // Called once, on the commit writer's or the log syncer's thread, when the log has failed; from then on every message
  // is answered `read_only`.
  std::function<void()> on_log_failure = [] {};
};

class gateway final : public message_port {
 public:
  // `store` and `clock` must outlive the gateway.
  gateway(gateway_settings settings, storage::store& store, const time_source& clock);
  ~gateway() override;

  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  // Before the first submission only. `desk` must outlive the gateway. Returns the number for this desk's tickets.
  std::uint32_t add_desk(reply_desk& desk);

  void submit(std::vector<submission>&& submissions) override;

  // From now on every message is answered `draining`; waits until all earlier ones are answered. False if that takes
  // longer than `timeout`. What is still out when the gateway goes may or may not be executed: nobody hears of it, and
  // a repeat tells.
  bool drain(milliseconds timeout);

  const actors::counters& counters() const noexcept;
  std::size_t in_flight() const noexcept;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace ordem::actors
