// Whether the service takes writes, as /-/ready tells it, and whether it serves reads, as /-/ready/reads does. Set by
// the app, read by every I/O thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace ordem::http_edge {

enum class service_state : std::uint8_t { recovering, ready, read_only, draining };

constexpr bool takes_writes(service_state state) noexcept {
  return state == service_state::ready;
}
// Also when it is read-only: what is durable can still be read.
constexpr bool serves_reads(service_state state) noexcept {
  return takes_writes(state) || state == service_state::read_only;
}

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

}  // namespace ordem::http_edge
