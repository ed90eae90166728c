// Bounds the part of the log that the sink does not have yet. The gateway checks it for every batch; the log syncer
// measures it as the log grows, the replicator as the sink catches up. Owned by the gateway. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "storage/log/log.hpp"

namespace ordem::actors {

class backlog_limit {
 public:
  // `log` must outlive the limit.
  backlog_limit(const storage::log& log, std::uint64_t bytes_max) : log_(log), bytes_max_(bytes_max) {}

  // Returns whether the last measurement was above the bound, so that writes must be refused.
  bool closed() const noexcept { return closed_.load(std::memory_order_relaxed); }
  std::uint64_t bytes_max() const noexcept { return bytes_max_; }
  // Returns the bytes of the backlog, as measured last.
  std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

  // Sets the position up to which the sink has the log, and measures.
  void consumed_through(position at) {
    consumed_.store(at.number, std::memory_order_relaxed);
    measure();
  }
  // Measures the backlog. Changes nothing if the log can't be read, which its readers report.
  void measure() {
    const std::lock_guard lock(mutex_);  // so that an older measurement never replaces a newer one
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
