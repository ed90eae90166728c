#include "cluster/protocol/read_lease.hpp"

#include <algorithm>

namespace ordem::cluster {

void read_lease::end_now() noexcept {
  is_over_ = true;
  end_ = boot_time::min();
}

void read_lease::renew(boot_time first_sent, std::uint64_t number, boot_time now, std::vector<effect>& out) {
  if (is_over_) return;
  end_ = std::max(end_, (rules_.leases_from_first_sending ? first_sent : now) + lease_time);
  // A record that was appended after a read proves enough even if it took longer than a lease.
  while (!waiting_.empty() && (is_valid(now) || waiting_.front().appended < number)) {
    out.emplace_back(read_ready_effect{waiting_.front().ticket});
    waiting_.pop_front();
  }
}

void read_lease::request(std::uint64_t ticket, std::uint64_t appended, boot_time now, std::vector<effect>& out) {
  if (is_valid(now) && !is_over_) {
    out.emplace_back(read_ready_effect{ticket});
  } else if (is_over_ || waiting_.size() >= waiting_reads_max) {
    out.emplace_back(read_refused_effect{ticket});
  } else {
    waiting_.push_back({ticket, appended});
  }
}

std::optional<std::uint64_t> read_lease::awaited() const noexcept {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.front().appended;
}

void read_lease::refuse_all(std::vector<effect>& out) {
  for (const waiting_read& each : waiting_) out.emplace_back(read_refused_effect{each.ticket});
  waiting_.clear();
}

}  // namespace ordem::cluster
