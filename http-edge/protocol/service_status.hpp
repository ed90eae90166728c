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
  service_state now() const noexcept {
    if (draining_.load(std::memory_order_acquire)) return service_state::draining;
    if (stopped_.load(std::memory_order_acquire)) return service_state::read_only;
    return ready_.load(std::memory_order_acquire) ? service_state::ready : service_state::recovering;
  }

  // The start is done.
  void set_ready() noexcept { ready_.store(true, std::memory_order_release); }
  // Writes are refused, until resume_writes().
  void stop_writes() noexcept { stopped_.store(true, std::memory_order_release); }
  void resume_writes() noexcept { stopped_.store(false, std::memory_order_release); }
  // The service is being stopped, for good.
  void set_draining() noexcept { draining_.store(true, std::memory_order_release); }

 private:
  std::atomic<bool> ready_{false};
  std::atomic<bool> stopped_{false};
  std::atomic<bool> draining_{false};
};

}  // namespace ordem::http_edge
