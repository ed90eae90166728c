// What the threads share about replication: how far the sink has come, whether it is connected, and whether the
// replicator has a `replicate` message in its mailbox. Owned by the gateway; set by the replicator and the log syncer.
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "engine/model/ids.hpp"
#include "storage/log/log.hpp"

namespace ordem::actors {

class replication_state {
 public:
  // Returns true if the caller must send `replicate`, false if one is pending already. So the replicator's mailbox
  // never holds more than one.
  bool begin_notification() noexcept { return !notified_.exchange(true); }
  // Called by the replicator before it reads the log: entries that become durable later need another `replicate`.
  void end_notification() noexcept { notified_.store(false); }

  // Returns the position up to which the sink has the log, or nullopt before it has been connected once.
  std::optional<position> persisted() const noexcept {
    if (!is_position_known_.load(std::memory_order_acquire)) return std::nullopt;
    return position{persisted_.load(std::memory_order_relaxed)};
  }
  bool is_connected() const noexcept { return connected_.load(std::memory_order_relaxed); }

  void set_connected() noexcept { connected_.store(true, std::memory_order_relaxed); }
  void set_persisted(position through) {
    const std::lock_guard lock(mutex_);  // else a waiter could miss the change between its check and its wait
    persisted_.store(through.number, std::memory_order_relaxed);
    is_position_known_.store(true, std::memory_order_release);
    changed_.notify_all();
  }
  void set_disconnected() {
    const std::lock_guard lock(mutex_);
    connected_.store(false, std::memory_order_relaxed);
    changed_.notify_all();
  }

  // Waits until the sink has all of `log`, is disconnected, or the timeout has passed. Returns whether it has all.
  bool wait_until_persisted(const storage::log& log, std::chrono::milliseconds timeout) {
    const auto has_all = [&] { return persisted() >= log.last(); };
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return has_all() || !is_connected(); });
    return has_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::uint64_t> persisted_{0};
  std::atomic<bool> is_position_known_{false};
  std::atomic<bool> connected_{false};
  std::atomic<bool> notified_{false};
};

}  // namespace ordem::actors
