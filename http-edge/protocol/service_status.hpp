// The state of the service: whether it takes writes (/-/ready) and serves reads (/-/ready/reads). Written by app/, read
// by every I/O thread. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

namespace ordem::http_edge {

enum class service_state : std::uint8_t {
  recovering,  // the data is being read: nothing is answered from it
  ready,
  no_owner,   // a node of a cluster that knows no owner of the log: requests are taken, and most wait in vain
  read_only,  // writes are refused
  draining,
};

constexpr bool takes_writes(service_state state) noexcept {
  return state == service_state::ready;
}
// A read-only service still serves reads: durable data stays readable. A node without an owner serves stale ones.
constexpr bool serves_reads(service_state state) noexcept {
  return takes_writes(state) || state == service_state::read_only || state == service_state::no_owner;
}

class service_status {
 public:
  service_state now() const noexcept {
    if (draining_.load(std::memory_order_acquire)) return service_state::draining;
    if (stopped_.load(std::memory_order_acquire)) return service_state::read_only;
    if (!ready_.load(std::memory_order_acquire)) return service_state::recovering;
    return routes_.load(std::memory_order_acquire) ? service_state::ready : service_state::no_owner;
  }

  // The start is done.
  void set_ready() noexcept { ready_.store(true, std::memory_order_release); }
  // Of a node of a cluster: whether requests reach the owner of the log by way of it. At first they do.
  void set_routes(bool routes) noexcept { routes_.store(routes, std::memory_order_release); }
  // Writes are refused, until resume_writes().
  void stop_writes() noexcept { stopped_.store(true, std::memory_order_release); }
  void resume_writes() noexcept { stopped_.store(false, std::memory_order_release); }
  // The service is being stopped, for good.
  void set_draining() noexcept { draining_.store(true, std::memory_order_release); }

 private:
  std::atomic<bool> ready_{false};
  std::atomic<bool> routes_{true};
  std::atomic<bool> stopped_{false};
  std::atomic<bool> draining_{false};
};

}  // namespace ordem::http_edge
