// The state of the service: whether it takes writes (/-/ready) and serves reads (/-/ready/reads). Written by app/, read
// by every I/O thread. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

namespace ordem::http_edge {

enum class service_state : std::uint8_t { recovering, ready, read_only, draining };

constexpr bool takes_writes(service_state state) noexcept {
  return state == service_state::ready;
}
// A read-only service still serves reads: durable data stays readable.
constexpr bool serves_reads(service_state state) noexcept {
  return takes_writes(state) || state == service_state::read_only;
}

class service_status {
 public:
  service_state now() const noexcept { return state_.load(std::memory_order_acquire); }
  // Does nothing if the service has reached `next` or a later state. States only advance: a draining or read-only
  // service becomes ready again only by a restart.
  void advance_to(service_state next) noexcept {
    auto current = now();
    while (current < next && !state_.compare_exchange_weak(current, next, std::memory_order_acq_rel)) {
    }
  }

 private:
  std::atomic<service_state> state_{service_state::recovering};
};

}  // namespace ordem::http_edge
