// The traces of sampled entries that the sink does not have yet, by position: its write may come seconds after the
// response. Filled by the commit writer, corrected by the log syncer, emptied by the replicator. Owned by the gateway.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/ports/tracing.hpp"

namespace ordem::actors {

// Thread-safe.
class traced_positions {
 public:
  // With more, the oldest is forgotten, and counted as a dropped span.
  static constexpr std::size_t positions_max = 4096;

  struct traced_entry {
    ordem::position position;
    shared_trace trace;
  };

  // `counts` must outlive it.
  explicit traced_positions(tracer& counts) noexcept : counts_(counts) {}

  // REQUIRES: `at` is behind all positions that it holds.
  void add(position at, shared_trace trace) {
    const std::lock_guard lock(mutex_);
    if (entries_.size() == positions_max) {
      entries_.pop_front();
      counts_.count_dropped(span_drop::position_forgotten, 1);
    }
    entries_.push_back({at, std::move(trace)});
  }

  // Forgets the entries behind `last`: they are not durable, and never will be.
  void forget_after(position last) {
    const std::lock_guard lock(mutex_);
    while (!entries_.empty() && entries_.back().position > last) entries_.pop_back();
  }

  // Removes the entries up to `last`, and returns them in their order.
  std::vector<traced_entry> take_through(position last) {
    std::vector<traced_entry> taken;
    const std::lock_guard lock(mutex_);
    for (; !entries_.empty() && entries_.front().position <= last; entries_.pop_front())
      taken.push_back(std::move(entries_.front()));
    return taken;
  }

 private:
  tracer& counts_;
  std::mutex mutex_;
  std::deque<traced_entry> entries_;
};

}  // namespace ordem::actors
