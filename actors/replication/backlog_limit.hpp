// Whether the log has grown too far ahead of what follows it, so that no more may be written. Looked at by the gateway
// for every batch, told by who makes the log longer (the log syncer) and who makes the backlog shorter (the
// replicator). Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "storage/log/store.hpp"

namespace ordem::actors {

class backlog_limit {
 public:
  // `log` must outlive the gate.
  backlog_limit(const storage::log& log, std::uint64_t bytes_max) : log_(log), bytes_max_(bytes_max) {}

  bool closed() const noexcept { return closed_.load(std::memory_order_relaxed); }
  std::uint64_t bytes_max() const noexcept { return bytes_max_; }
  std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

  // What follows the log stands at this position. Measures anew.
  void consumed_through(position at) {
    consumed_.store(at.number, std::memory_order_relaxed);
    measure();
  }
  // A log that can't be read is for its reader to report; the gate stays as it is.
  void measure() {
    const std::lock_guard lock(mutex_);  // so that an older measure never overwrites a newer one
    const auto bytes = log_.bytes_after({consumed_.load(std::memory_order_relaxed)});
    if (!bytes) return;
    bytes_.store(*bytes, std::memory_order_relaxed);
    closed_.store(*bytes > bytes_max_, std::memory_order_relaxed);
  }

 private:
  std::mutex mutex_;
  const storage::log& log_;
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> consumed_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<bool> closed_{false};
};

}  // namespace ordem::actors
