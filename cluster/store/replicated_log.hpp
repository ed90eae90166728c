// The log of the engine on the node that owns a replicated log: entries become durable by the acknowledgement of the
// stream, and are read from the node's copy. One for each time that the node owns the log; it is not recovered.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/store/group_appender.hpp"
#include "engine/model/time.hpp"
#include "storage/log/entry.hpp"
#include "storage/log/log.hpp"

namespace ordem::cluster {

struct replicated_log_settings {
  // A group whose entries may take more, by storage::logged_bytes_max(), is appended as several. That is several times
  // what small orders take: the default makes records of 40 KiB of them. Larger: fewer records; smaller: the window
  // holds more of them.
  std::size_t group_bytes_max = std::size_t{256} << 10;
  // Called with the reason why the log takes no more entries. Called once, by the appending or the syncing thread.
  std::function<void(std::string_view)> on_error = [](std::string_view) {};
};

// Threads as storage::log says. Owned by the node, together with the gateway that writes it.
class replicated_log final : public storage::log {
 public:
  // REQUIRES: the copy has every live record of the log; the view has every entry of the copy; the clock has resumed
  // behind the time of the last record (time_source::resume()). Until this is destroyed, the copy gets no records but
  // those that were appended here. All must outlive this.
  replicated_log(storage::log& copy, group_appender& appender, const time_source& clock,
                 replicated_log_settings settings = {});

  // Appends one group, or several if they are large; then a failure may leave the first ones. An entry whose record
  // would be larger than record_bytes_max fails with write_failed.
  tl::expected<position, storage::log_error> append(std::span<const storage::entry> entries) override;
  tl::expected<position, storage::log_error> sync() override;
  // Always permanent after a failure: what this node decided and the log does not have goes with its gateway.
  storage::result<void> recover() override;
  tl::expected<std::vector<storage::logged_entry>, storage::log_read_error> read(position from,
                                                                                 std::size_t limit) const override;
  position first() const override { return copy_.first(); }
  // As of the last sync() that succeeded; the copy may have more.
  position last() const noexcept override { return {durable_.load(std::memory_order_acquire)}; }
  position appended() const noexcept override { return {appended_.load(std::memory_order_acquire)}; }
  tl::expected<std::uint64_t, storage::log_read_error> bytes_after(position at) const override;
  void release(storage::log_consumer who, position through) override { copy_.release(who, through); }

 private:
  tl::expected<void, storage::log_error> append_group(std::span<const storage::entry> entries);
  tl::unexpected<storage::log_error> failed(std::string_view why);

  storage::log& copy_;
  group_appender& appender_;
  const time_source& clock_;
  const replicated_log_settings settings_;
  std::atomic<std::uint64_t> appended_;
  std::atomic<std::uint64_t> durable_;
  std::atomic<bool> failed_{false};

  // Only for the appending thread.
  std::optional<std::uint64_t> clock_changes_;  // as of the last appended state of the clock; absent before the first
  std::size_t bytes_since_clock_ = 0;
};

}  // namespace ordem::cluster
