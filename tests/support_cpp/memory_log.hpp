// A log in memory. It outlives the engines that write it, as a disk does, and its calls fail when a test or a seed says
// so. Thread-safe, except restart(), lose_power() and set_faults().
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "engine/model/time.hpp"
#include "storage/log/log.hpp"

namespace ordem::testing {

struct memory_log_settings {
  position first{1};  // of the first entry
  // The log keeps so many entries, at least.
  std::uint64_t entries_kept = std::numeric_limits<std::uint64_t>::max();
  // Whether each log_consumer must release entries before they are trimmed.
  std::array<bool, storage::log_consumers> consumed{};
  // Seeds the faults, and what survives a loss of power.
  std::uint64_t seed = 0;
};

// How often calls fail: one in so many, at random; 0: none.
struct log_fault_rates {
  std::uint64_t appends = 0;
  std::uint64_t syncs = 0;
  // After such a failure recover() fails up to so many times.
  std::uint64_t recoveries_max = 0;
};

class memory_log final : public storage::log {
 public:
  explicit memory_log(const memory_log_settings& settings = {});

  // --- faults ---

  void set_faults(const log_fault_rates& rates);
  void fail_next_append();
  void fail_next_sync();
  void fail_recoveries(std::uint64_t times);
  // After so many calls of append(), sync() and recover() the machine is off: every later one fails and changes
  // nothing.
  void cut_power_after(std::uint64_t calls);
  bool is_off() const;

  // As a start after kill -9: all that was appended is there, and durable.
  void restart();
  // As a start after a loss of power: what is durable is there, and of the groups behind it as many as the seed says,
  // from the first one on. That includes a group whose append failed.
  void lose_power();

  // Returns the time of the last record, as of the last start; absent if there is no record.
  std::optional<timestamp> newest() const;

  // --- storage::log ---

  tl::expected<position, storage::log_error> append(std::span<const storage::entry> entries) override;
  tl::expected<position, storage::log_error> sync() override;
  storage::result<void> recover() override;
  tl::expected<std::vector<storage::logged_entry>, storage::log_read_error> read(position from,
                                                                                 std::size_t limit) const override;
  position first() const override;
  position last() const noexcept override { return {durable_.load(std::memory_order_acquire)}; }
  position appended() const noexcept override { return {appended_.load(std::memory_order_acquire)}; }
  tl::expected<std::uint64_t, storage::log_read_error> bytes_after(position at) const override;
  void release(storage::log_consumer who, position through) override;

 private:
  struct group {
    position first;
    std::vector<storage::entry> entries;
    timestamp time;
    std::uint64_t bytes = 0;

    position last() const noexcept { return {first.number + entries.size() - 1}; }
  };

  bool count_call();
  bool is_due(std::uint64_t one_in);
  tl::unexpected<storage::log_error> failure();
  void keep_groups(std::size_t count);
  std::deque<group>::const_iterator find_group(position at) const;
  void trim();

  const memory_log_settings settings_;
  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  log_fault_rates rates_;
  bool next_append_fails_ = false;
  bool next_sync_fails_ = false;
  std::uint64_t failing_recoveries_ = 0;
  std::optional<std::uint64_t> calls_left_;  // before the machine is off
  bool failed_ = false;
  std::deque<group> groups_;
  std::optional<group> failed_group_;  // may be on the disk, behind groups_
  std::optional<timestamp> newest_;
  std::array<position, storage::log_consumers> released_{};
  std::atomic<std::uint64_t> durable_;
  std::atomic<std::uint64_t> appended_;
};

}  // namespace ordem::testing
