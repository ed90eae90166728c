// The read gate of the owner: open while its lease holds. A read that comes when the lease is over waits for a record
// that is appended after it. The protocol decides; this is what other threads see of it. Owned by the node.
//
// A read that finds the gate open is linearizable even if it reads later than the lease: it sees at least what was
// acknowledged when it asked.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <utility>

#include "cluster/protocol/instant.hpp"
#include "engine/ports/read_gate.hpp"

namespace ordem::cluster {

// Reads that wait; more are refused at once. Few do: a node asks once for all its reads that wait.
inline constexpr std::size_t lease_reads_max = 4096;

class lease_gate final : public read_gate {
 public:
  // `now` returns the time of the lease, on any thread. `request` passes a ticket to node_core::request_read() on the
  // node's thread, whose effect comes back by finish(); it is called by wait(), must not block, nor call the gate.
  lease_gate(std::function<boot_time()> now, std::function<void(std::uint64_t ticket)> request)
      : now_(std::move(now)), request_(std::move(request)) {}

  bool is_open() const noexcept override { return now_().time_since_epoch().count() < end_.load(); }

  void wait(std::function<void(bool opened)> done) override {
    std::uint64_t ticket = 0;
    {
      const std::lock_guard lock(mutex_);
      if (!is_closed_ && waiting_.size() < lease_reads_max) {
        ticket = ++last_ticket_;
        waiting_.emplace(ticket, std::move(done));
        done = nullptr;
      }
    }
    done ? done(false) : request_(ticket);
  }

  // The functions below are for the node's thread.

  // node_core::lease_end(). A lease that has become shorter is set before the effects of the event that ended it are
  // performed, a longer one after them: by then the view has the records that came with it.
  void shorten(boot_time end) noexcept { end_.store(std::min(end_.load(), end.time_since_epoch().count())); }
  void set_end(boot_time end) noexcept { end_.store(end.time_since_epoch().count()); }

  // A read_ready_effect or a read_refused_effect.
  void finish(std::uint64_t ticket, bool opened) {
    std::function<void(bool)> done;
    {
      const std::lock_guard lock(mutex_);
      const auto found = waiting_.find(ticket);
      if (found == waiting_.end()) return;
      done = std::move(found->second);
      waiting_.erase(found);
    }
    done(opened);
  }

  // The node ends: refuses all that wait, and all that come.
  void close() {
    set_end(boot_time::min());
    std::map<std::uint64_t, std::function<void(bool)>> left;
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
      left.swap(waiting_);
    }
    for (const auto& [ticket, done] : left) done(false);
  }

 private:
  const std::function<boot_time()> now_;
  const std::function<void(std::uint64_t)> request_;
  std::atomic<boot_clock::rep> end_{std::numeric_limits<boot_clock::rep>::min()};
  std::mutex mutex_;
  bool is_closed_ = false;
  std::uint64_t last_ticket_ = 0;
  std::map<std::uint64_t, std::function<void(bool)>> waiting_;
};

}  // namespace ordem::cluster
