#include "storage/rocksdb/recovery.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/rules/decide.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/log_group.hpp"

namespace ordem::storage {
namespace {

// How many log groups are folded again: some thousands of entries, a few milliseconds.
constexpr int groups_checked_max = 64;
// Fewer groups if captured responses make them large.
constexpr std::size_t bytes_checked_max = std::size_t{64} << 20;

timestamp time_of(const entry& what) {
  const auto* changed = std::get_if<capture_entry>(&what);
  return changed != nullptr ? changed->at : std::get<message_entry>(what).record.created_at;
}

}  // namespace

result<recovery::log_tail> recovery::find_log_tail() const {
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}, db_.handle(family::log)));
  at->SeekToLast();
  log_tail tail;
  bool is_last = true;
  std::size_t bytes = 0;
  for (int i = 0; at->Valid() && i < groups_checked_max && bytes < bytes_checked_max; ++i, at->Prev()) {
    const auto first = decode_log_key(at->key().ToStringView());
    const auto group = decode_log_group(at->value().ToStringView());
    if (!first || !group) return tl::make_unexpected(db_.damage("a group at the end of the log can't be read"));
    const std::uint64_t end = first->number + group->entries.size();
    if (std::exchange(is_last, false)) {
      tail.end = {{end - 1}, group->bytes_before + at->value().size()};
    } else if (end != tail.first.number) {
      break;  // see log_table::trim(): groups before a gap no longer belong to the log
    }
    tail.first = *first;
    bytes += at->value().size();
    for (const entry& each : group->entries) tail.newest = std::max(tail.newest, std::optional(time_of(each)));
  }
  if (!at->status().ok()) return tl::make_unexpected(db_.open_error(at->status()));
  return tail;
}

result<void> recovery::check_data(const log_tail& tail, const snapshot& as_of, const clock_reading& now) const {
  const auto disagree = [this](const std::string& difference) {
    return tl::make_unexpected(db_.damage("the log and the data do not agree about " + difference));
  };
  if (tail.first == position{}) return {};
  std::unordered_map<capture_key, shared_capture> captures;
  for (position from = tail.first; from <= tail.end.last;) {
    const auto entries = log_.read(from, group_entries_max, as_of);
    if (!entries) return disagree("an order that the log names");
    for (const logged_entry& each : *entries) {
      if (const auto* changed = each.capture()) {
        captures[changed->key] = changed->after;
      } else if (auto difference = difference_in(*each.message(), as_of); !difference.empty()) {
        return disagree(difference);
      }
    }
    from.number += entries->size();
  }
  for (const auto& [key, after] : captures) {
    if (!is_as_logged(key, after, as_of, now)) return disagree("the capture " + std::string(key.view()));
  }
  return {};
}

// Returns a description of what differs from the entry, or an empty string.
std::string recovery::difference_in(const message_entry& logged, const snapshot& as_of) const {
  if (logged.after == nullptr) return {};
  const order& after = *logged.after;
  shared_order before;
  if (after.version != version{1}) {
    before = records_.find_version(after.id, {after.version.number - 1}, as_of).value_or(nullptr);
    if (before == nullptr) {
      return "a version before " + std::to_string(after.version.number) + " of order " + after.id.to_string();
    }
  }
  if (apply(before.get(), event_of(logged.record.outcome.verdict, after)) == after) return {};
  return "version " + std::to_string(after.version.number) + " of order " + after.id.to_string();
}

// Whether the capture is as its last entry says. It may be gone if it has expired by `now`, the newest time known. That
// is never before the time by which expired_record_filter dropped it. `now` has no steps of the clock, which could only
// prolong a capture.
bool recovery::is_as_logged(const capture_key& key, const shared_capture& after, const snapshot& as_of,
                            const clock_reading& now) const {
  const auto found = records_.find_capture(key, timestamp::min(), as_of);  // an expired one too
  if (!found) return false;
  if (*found == nullptr) return after == nullptr || !after->is_kept_at(now);
  return after != nullptr && **found == *after;
}

result<std::optional<order_id>> recovery::find_newest_order() const {
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}, db_.handle(family::orders)));
  at->SeekToLast();
  if (!at->status().ok()) return tl::make_unexpected(db_.open_error(at->status()));
  if (!at->Valid()) return std::nullopt;
  const auto id = decode_order_key(at->key().ToStringView());
  if (!id) return tl::make_unexpected(db_.damage("a key of an order"));
  return id;
}

result<position> recovery::fill(recent_index& index, position last, const snapshot& as_of) const {
  auto indexed = db_.indexed();
  if (!indexed) return indexed;
  if (*indexed > last) return tl::make_unexpected(db_.damage("the indexes are ahead of the log"));
  for (position from{indexed->number + 1}; from <= last;) {
    auto logged = log_.read(from, group_entries_max, as_of);
    if (!logged) return tl::make_unexpected(db_.damage("the log does not reach back to the indexes"));
    std::vector<entry> entries;
    entries.reserve(logged->size());
    for (logged_entry& each : *logged) {
      if (auto* message = std::get_if<message_entry>(&each.what)) {
        if (auto found = find_before(*message, as_of); !found) return tl::make_unexpected(std::move(found.error()));
      }
      entries.push_back(std::move(each.what));
    }
    index.add(entries, from);
    from.number += entries.size();
  }
  index.confirm_durable(last);
  return *indexed;
}

result<void> recovery::find_before(message_entry& logged, const snapshot& as_of) const {
  if (logged.after == nullptr || logged.after->version == version{1}) return {};
  auto before = records_.find_version(logged.after->id, {logged.after->version.number - 1}, as_of);
  if (!before || *before == nullptr) {
    return tl::make_unexpected(db_.damage("a version of an order that the log names can't be read"));
  }
  logged.before = std::move(*before);
  return {};
}

}  // namespace ordem::storage
