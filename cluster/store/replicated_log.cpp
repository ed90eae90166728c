#include "cluster/store/replicated_log.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/check.hpp"
#include "storage/records/log_group.hpp"
#include "storage/records/log_record.hpp"

namespace ordem::cluster {
namespace {

using storage::log_error;
using storage::log_read_error;

// A state of the clock is in the log at least once in so many bytes, so that each segment of a copy, wherever it
// begins, has one.
constexpr std::size_t bytes_between_clocks = std::size_t{1} << 20;

}  // namespace

replicated_log::replicated_log(storage::log& copy, group_appender& appender, const time_source& clock,
                               replicated_log_settings settings)
    : copy_(copy),
      appender_(appender),
      clock_(clock),
      settings_(std::move(settings)),
      appended_(copy.last().number),
      durable_(copy.last().number) {}

tl::expected<position, log_error> replicated_log::append(std::span<const storage::entry> entries) {
  ORDEM_CHECK(entries.size() <= storage::group_entries_max);
  if (failed_) return tl::make_unexpected(log_error::failed_earlier);
  while (!entries.empty()) {
    std::size_t bytes = storage::logged_bytes_max(entries.front());
    std::size_t count = 1;
    for (; count < entries.size(); ++count) {
      bytes += storage::logged_bytes_max(entries[count]);
      if (bytes > settings_.group_bytes_max) break;
    }
    if (auto appended = append_group(entries.first(count)); !appended) return tl::make_unexpected(appended.error());
    entries = entries.subspan(count);
  }
  return appended();
}

tl::expected<void, log_error> replicated_log::append_group(std::span<const storage::entry> entries) {
  unframed_group group;
  group.first = {appended().number + 1};
  group.entries = static_cast<std::uint32_t>(entries.size());
  for (const storage::entry& each : entries) group.newest = std::max(group.newest, storage::decided_at(each));
  // In the group of the first entries that may be dated after the change, so that no reader meets them without it.
  const std::uint64_t clock_changes = clock_.changes();
  const bool with_clock = clock_changes != clock_changes_ || bytes_since_clock_ >= bytes_between_clocks;
  group.payload.assign(storage::log_record_header_bytes, '\0');
  storage::encode_log_group(group.payload, with_clock ? std::optional(clock_.state()) : std::nullopt, entries);
  const std::size_t bytes = storage::log_record_bytes(group.payload.size() - storage::log_record_header_bytes);
  if (bytes > record_bytes_max) {
    return failed("a record of " + std::to_string(bytes) + " bytes is larger than the stream takes");
  }

  const position last{group.first.number + group.entries - 1};
  if (!appender_.append(std::move(group))) return failed("this node does not own the log any more");
  clock_changes_ = clock_changes;
  bytes_since_clock_ = with_clock ? 0 : bytes_since_clock_ + bytes;
  appended_.store(last.number, std::memory_order_release);
  return {};
}

tl::expected<position, log_error> replicated_log::sync() {
  if (failed_) return tl::make_unexpected(log_error::failed_earlier);
  if (appended() == last()) return last();
  const auto acknowledged = appender_.wait_acknowledged();
  if (!acknowledged) return failed("this node does not own the log any more");
  durable_.store(acknowledged->number, std::memory_order_release);
  return *acknowledged;
}

storage::result<void> replicated_log::recover() {
  if (!failed_) return {};
  return storage::fail_with(storage::error_code::permanent,
                            "this node does not own the log any more; the next owner takes writes");
}

tl::expected<std::vector<storage::logged_entry>, log_read_error> replicated_log::read(position from,
                                                                                      std::size_t limit) const {
  const std::uint64_t next = std::max<std::uint64_t>(from.number, 1);
  const std::uint64_t end = last().number + 1;
  return copy_.read(from, std::min<std::uint64_t>(limit, end - std::min(end, next)));
}

tl::expected<std::uint64_t, log_read_error> replicated_log::bytes_after(position at) const {
  return copy_.bytes_after(at);
}

tl::unexpected<log_error> replicated_log::failed(std::string_view why) {
  if (failed_.exchange(true)) return tl::make_unexpected(log_error::failed_earlier);
  settings_.on_error(why);
  return tl::make_unexpected(log_error::write_failed);
}

}  // namespace ordem::cluster
