// Whether the service takes writes, as /-/ready tells it. Set by the app, read by every I/O thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace ordem::edge {

enum class service_state : std::uint8_t { recovering, ready, read_only, draining };

class service_status {
 public:
  service_state now() const noexcept { return state_.load(std::memory_order_acquire); }
  // A state never goes back: what is draining or read-only becomes ready only by a restart.
  void advance_to(service_state next) noexcept {
    auto current = now();
    while (current < next && !state_.compare_exchange_weak(current, next, std::memory_order_acq_rel)) {
    }
  }

 private:
  std::atomic<service_state> state_{service_state::recovering};
};

}  // namespace ordem::edge
