#include "http-edge/access/tenant_limits.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/base/check.hpp"

namespace ordem::http_edge {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds burst = std::chrono::seconds(1);
// The time after which a batch without a place in flight tries again: a place becomes free when another request ends.
constexpr nanoseconds place_wait = std::chrono::milliseconds(5);
constexpr std::string_view others_name = "other";

}  // namespace

// On a cache line of its own: every I/O thread writes to it.
struct alignas(64) tenant_limits::account {
  account(std::string_view name, bool is_named) : tenant(name), named(is_named) {}

  const std::string tenant;
  const bool named;  // in metrics
  std::atomic<std::int64_t> full_at_ns{0};
  std::atomic<std::uint32_t> in_flight{0};
  std::atomic<std::uint64_t> requests{0};
  std::array<std::atomic<std::uint64_t>, tenant_refusals> refusals{};
};

std::string_view to_string(tenant_refusal why) noexcept {
  switch (why) {
    case tenant_refusal::over_rate: return "rate";
    case tenant_refusal::over_in_flight: return "in_flight";
  }
  ORDEM_CHECK(false && "a refusal outside its enumeration");
  return {};
}

tenant_limits::tenant_limits(const tenant_settings& settings)
    : settings_(settings),
      counts_anything_(settings.rate > 0 || settings.in_flight_max > 0 || settings.named_in_metrics > 0),
      interval_(settings.rate > 0 ? burst / settings.rate : nanoseconds(0)),
      others_(std::make_unique<account>(others_name, false)) {
  ORDEM_CHECK(settings.rate <= tenant_settings::rate_max);
}

tenant_limits::~tenant_limits() = default;

tenant_limits::account* tenant_limits::find(std::string_view tenant, std::size_t hash) const noexcept {
  for (std::size_t at = hash % slots_.size();; at = (at + 1) % slots_.size()) {
    account* const here = slots_[at].load(std::memory_order_acquire);
    if (here == nullptr || here->tenant == tenant) return here;
  }
}

tenant_limits::account& tenant_limits::account_of(std::string_view tenant) {
  const std::size_t hash = std::hash<std::string_view>{}(tenant);
  if (account* const known = find(tenant, hash)) return *known;
  const std::lock_guard lock(mutex_);
  if (account* const known = find(tenant, hash)) return *known;  // added meanwhile
  if (accounts_.size() == tenants_max) return *others_;
  const bool named = accounts_.size() < settings_.named_in_metrics && tenant != others_name;
  account& added = *accounts_.emplace_back(std::make_unique<account>(tenant, named));
  std::size_t at = hash % slots_.size();
  while (slots_[at].load(std::memory_order_relaxed) != nullptr) at = (at + 1) % slots_.size();
  slots_[at].store(&added, std::memory_order_release);
  return added;
}

tl::expected<void, tenant_limits::shortage> tenant_limits::take(account& from, time_point now) const noexcept {
  const auto refuse = [&](tenant_refusal why, nanoseconds wait) -> tl::expected<void, shortage> {
    from.in_flight.fetch_sub(1, std::memory_order_relaxed);
    return tl::make_unexpected(shortage{why, wait});
  };
  const std::uint32_t before = from.in_flight.fetch_add(1, std::memory_order_relaxed);
  if (settings_.in_flight_max > 0 && before >= settings_.in_flight_max)
    return refuse(tenant_refusal::over_in_flight, place_wait);
  if (settings_.rate > 0) {
    const std::int64_t now_ns = nanoseconds(now.time_since_epoch()).count();
    std::int64_t full_at = from.full_at_ns.load(std::memory_order_relaxed);
    std::int64_t next = 0;
    do {
      next = std::max(full_at, now_ns) + interval_.count();
      const nanoseconds wait(next - now_ns - burst.count());
      if (wait.count() > 0) return refuse(tenant_refusal::over_rate, wait);
    } while (!from.full_at_ns.compare_exchange_weak(full_at, next, std::memory_order_relaxed));
  }
  return {};
}

void tenant_limits::give_token_back(account& to) const noexcept {
  if (settings_.rate > 0) to.full_at_ns.fetch_sub(interval_.count(), std::memory_order_relaxed);
}

tl::expected<tenant_permit, tenant_refusal> tenant_limits::admit(std::string_view tenant, time_point now) {
  if (!counts_anything_) return tenant_permit();
  account& of = account_of(tenant);
  if (const auto taken = take(of, now); !taken) {
    of.refusals[static_cast<std::size_t>(taken.error().why)].fetch_add(1, std::memory_order_relaxed);
    return tl::make_unexpected(taken.error().why);
  }
  of.requests.fetch_add(1, std::memory_order_relaxed);
  return tenant_permit(*this, of);
}

std::vector<tenant_limits::counts> tenant_limits::read_counts() const {
  std::vector<counts> named;
  counts others{std::string(others_name), 0, {}};
  const auto add = [](const account& from, counts& to) {
    to.requests += from.requests.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < tenant_refusals; ++i)
      to.refusals[i] += from.refusals[i].load(std::memory_order_relaxed);
  };
  const std::lock_guard lock(mutex_);
  for (const auto& each : accounts_) {
    if (each->named) named.push_back({each->tenant, 0, {}});
    add(*each, each->named ? named.back() : others);
  }
  add(*others_, others);
  named.push_back(std::move(others));
  return named;
}

// --- permits ---

tenant_permit::tenant_permit(tenant_permit&& other) noexcept
    : limits_(other.limits_), account_(other.account_), places_(std::exchange(other.places_, 0)) {}

tenant_permit& tenant_permit::operator=(tenant_permit&& other) noexcept {
  if (this == &other) return *this;
  release_all();
  limits_ = other.limits_;
  account_ = other.account_;
  places_ = std::exchange(other.places_, 0);
  return *this;
}

tl::expected<void, nanoseconds> tenant_permit::begin_line(tenant_limits::time_point now) noexcept {
  if (account_ == nullptr) return {};
  if (const auto taken = limits_->take(*account_, now); !taken) return tl::make_unexpected(taken.error().wait);
  ++places_;
  return {};
}

void tenant_permit::end_line() noexcept {
  if (places_ == 0) return;
  give_place_back();
  account_->requests.fetch_add(1, std::memory_order_relaxed);
}

void tenant_permit::cancel_line() noexcept {
  if (places_ == 0) return;
  give_place_back();
  limits_->give_token_back(*account_);
}

void tenant_permit::give_place_back() noexcept {
  --places_;
  account_->in_flight.fetch_sub(1, std::memory_order_relaxed);
}

void tenant_permit::release_all() noexcept {
  if (places_ == 0) return;
  account_->in_flight.fetch_sub(std::exchange(places_, 0), std::memory_order_relaxed);
}

}  // namespace ordem::http_edge
