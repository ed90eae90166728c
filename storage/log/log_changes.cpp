#include "storage/log/log_changes.hpp"

#include <algorithm>
#include <utility>

namespace ordem::storage {

tl::expected<order_changes, change_error> log_changes::read_changes(position after, std::size_t entries_max) const {
  order_changes read{{}, after};
  const position end = visible();
  if (after >= end) return read;
  auto entries = log_.read({after.number + 1}, std::min<std::uint64_t>(entries_max, end.number - after.number));
  if (!entries) {
    return tl::make_unexpected(entries.error() == log_read_error::trimmed ? change_error::trimmed
                                                                          : change_error::storage_failed);
  }
  read.changes.reserve(entries->size());
  for (logged_entry& each : *entries) {
    read.through = each.position;
    auto* message = std::get_if<message_entry>(&each.what);
    if (message == nullptr || message->after == nullptr) continue;
    read.changes.push_back({each.position, std::move(message->guid), message->record.outcome.verdict,
                            message->record.created_at, std::move(message->after)});
  }
  return read;
}

position log_changes::first() const {
  return std::max(log_.first(), position{1});
}

}  // namespace ordem::storage
