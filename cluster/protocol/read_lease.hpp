// When the owner may answer linearizable reads.
//
// A record of this epoch that is written proves that no other node owned the log when it landed, so not before it was
// first sent, and a new owner acknowledges nothing in the 1.1 s after it has read the last record of the epoch before.
// So the owner holds a lease for 1 s from the first sending of the last written record. Reads that come later wait for
// a record that was appended after them.
//
// A value; one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "cluster/protocol/effect.hpp"
#include "cluster/protocol/instant.hpp"
#include "cluster/protocol/protocol_rules.hpp"

namespace ordem::cluster {

inline constexpr milliseconds lease_time{1000};
// lease_time, and what the clocks of two machines may differ in that time.
inline constexpr milliseconds wait_for_old_lease{1100};
static_assert(wait_for_old_lease > lease_time);
inline constexpr std::size_t waiting_reads_max = 65'536;

class read_lease {
 public:
  explicit read_lease(protocol_rules rules) : rules_(rules) {}

  bool is_valid(boot_time now) const noexcept { return rules_.checks_lease ? now < end_ : true; }
  // boot_time::min() without a lease.
  boot_time end() const noexcept { return end_; }
  // Ends the lease for good.
  void end_now() noexcept;

  // A record was written. `number`: see append_window::appended().
  void renew(boot_time first_sent, std::uint64_t number, boot_time now, std::vector<effect>& out);

  // Answers a read by an effect, now or later. `appended`: the number of records that were appended before it.
  void request(std::uint64_t ticket, std::uint64_t appended, boot_time now, std::vector<effect>& out);
  // The number of records that were appended before the first read that waits, or nullopt if none waits: a later one
  // must be written.
  std::optional<std::uint64_t> awaited() const noexcept;
  // Refuses all that wait.
  void refuse_all(std::vector<effect>& out);

 private:
  struct waiting_read {
    std::uint64_t ticket = 0;
    std::uint64_t appended = 0;
  };

  protocol_rules rules_;
  boot_time end_ = boot_time::min();
  bool is_over_ = false;
  std::deque<waiting_read> waiting_;
};

}  // namespace ordem::cluster
