// Bounds what one tenant may ask for: requests a second (a token bucket with a burst of one second) and requests in
// flight. Shared by all I/O threads; thread-safe. A look-up of a known tenant takes no lock and allocates nothing.
//
// The bucket is kept as the time at which it is full again, in one atomic: a request moves that time on by one
// interval, and is refused if it would then lie more than a burst ahead.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace ordem::http_edge {

struct tenant_settings {
  // Requests a second for each tenant, up to rate_max; a line of a batch counts as one. 0: no bound.
  std::uint32_t rate = 0;
  // Requests of each tenant between their header and their response; a line of a batch counts as one. 0: no bound.
  std::uint32_t in_flight_max = 0;
  // How many tenants have their name in metrics; the others are counted together.
  std::uint32_t named_in_metrics = 0;

  static constexpr std::uint32_t rate_max = 1'000'000;
};

enum class tenant_refusal : std::uint8_t { over_rate, over_in_flight };
inline constexpr std::size_t tenant_refusals = 2;

// Returns the name in metrics: "rate", "in_flight".
std::string_view to_string(tenant_refusal why) noexcept;

class tenant_permit;

class tenant_limits {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // Tenants that are told apart. Those after them share one account, and so the bounds of one tenant.
  static constexpr std::size_t tenants_max = 1024;

  explicit tenant_limits(const tenant_settings& settings);
  ~tenant_limits();
  tenant_limits(const tenant_limits&) = delete;
  tenant_limits& operator=(const tenant_limits&) = delete;

  // Admits one request of the tenant: its place in flight is that of the permit. REQUIRES: the tenant is that of a
  // verified identity, so that clients cannot fill the table. The limits must outlive the permit.
  tl::expected<tenant_permit, tenant_refusal> admit(std::string_view tenant, time_point now);

  // Returns whether requests are counted by tenant at all.
  bool is_active() const noexcept { return counts_anything_; }
  // Returns whether metrics name any tenant.
  bool names_tenants() const noexcept { return settings_.named_in_metrics > 0; }

  // The counts of one label in metrics. `tenant` is "other" for those without a name there.
  struct counts {
    std::string tenant;
    std::uint64_t requests = 0;  // admitted, with the lines of batches
    std::array<std::uint64_t, tenant_refusals> refusals{};
  };
  // Returns the counts of the tenants that are named in metrics, then those of all others.
  std::vector<counts> read_counts() const;

 private:
  friend class tenant_permit;

  struct account;
  // What a request or a line lacks, and how long it takes until there may be a token.
  struct shortage {
    tenant_refusal why;
    std::chrono::nanoseconds wait;
  };

  account& account_of(std::string_view tenant);
  account* find(std::string_view tenant, std::size_t hash) const noexcept;
  // Takes a token and a place in flight.
  tl::expected<void, shortage> take(account& from, time_point now) const noexcept;
  void give_token_back(account& to) const noexcept;

  const tenant_settings settings_;
  const bool counts_anything_;
  const std::chrono::nanoseconds interval_;  // between two tokens; 0 without a rate
  // A hash table with open addressing, at most half full. Accounts are added and never removed.
  std::array<std::atomic<account*>, 2 * tenants_max> slots_{};
  mutable std::mutex mutex_;  // of adding an account
  std::vector<std::unique_ptr<account>> accounts_;
  std::unique_ptr<account> others_;
};

// A tenant's places in flight, which end with the permit. Used by one thread at a time.
class tenant_permit {
 public:
  // Of a request without bounds.
  tenant_permit() noexcept = default;
  tenant_permit(tenant_permit&& other) noexcept;
  tenant_permit& operator=(tenant_permit&& other) noexcept;
  ~tenant_permit() { release_all(); }

  // For a line of a batch: takes one more token and place. If the tenant has none, returns after which time to try
  // again.
  tl::expected<void, std::chrono::nanoseconds> begin_line(tenant_limits::time_point now) noexcept;
  // The line has ended: gives its place back, if the permit holds any.
  void end_line() noexcept;
  // There was no line after all: gives its place and its token back.
  void cancel_line() noexcept;
  // Gives all places back. begin_line() may take more.
  void release_all() noexcept;

 private:
  friend class tenant_limits;
  tenant_permit(const tenant_limits& limits, tenant_limits::account& account) noexcept
      : limits_(&limits), account_(&account), places_(1) {}
  void give_place_back() noexcept;

  const tenant_limits* limits_ = nullptr;
  tenant_limits::account* account_ = nullptr;  // null: without bounds
  std::uint32_t places_ = 0;
};

}  // namespace ordem::http_edge
