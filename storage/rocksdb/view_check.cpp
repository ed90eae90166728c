// The check of a start: the newest orders and captures in the files against the log.

#include <algorithm>
#include <string>
#include <utility>

#include "engine/rules/decide.hpp"
#include "storage/rocksdb/rocks_view.hpp"

namespace ordem::storage {
namespace {

// How many entries are folded again, a few milliseconds.
constexpr std::uint64_t entries_checked_max = 4096;

}  // namespace

// Folds the last entries that the files have again, with the same apply() as live traffic. What comes after them in the
// log is not in files, so nothing can differ from it.
result<void> rocks_view::check(const log& from) const {
  const auto disagree = [this](const std::string& difference) {
    return tl::make_unexpected(database_.damage("the log and the data do not agree about " + difference));
  };
  const snapshot as_of = visible_.get();
  const position last = as_of.last();
  if (last > from.last()) return tl::make_unexpected(database_.damage("the files are ahead of the log"));
  position next{last.number - std::min(last.number, entries_checked_max) + 1};
  next = std::max(next, from.first());
  tenant_map<capture_key, shared_capture> captures;
  while (next <= last) {
    const auto entries = from.read(next, last.number - next.number + 1);
    if (!entries) return tl::make_unexpected(database_.damage("the log can't be read"));
    for (const logged_entry& each : *entries) {
      if (const auto* changed = each.capture()) {
        captures[tenant_capture_key{changed->tenant(), changed->key}] = changed->after;
      } else if (auto difference = difference_in(*each.message(), as_of); !difference.empty()) {
        return disagree(difference);
      }
    }
    next.number += entries->size();
  }
  for (const auto& [key, after] : captures) {
    if (!is_as_logged(key, after, as_of)) return disagree("the capture " + std::string(key.name.view()));
  }
  return {};
}

// Returns a description of what differs from the entry, or an empty string.
std::string rocks_view::difference_in(const message_entry& logged, const snapshot& as_of) const {
  if (logged.after == nullptr) return {};
  const order& after = *logged.after;
  const auto stored = records_.find_version(after.id, after.version, as_of);
  shared_order before;
  if (after.version != version{1}) {
    before = records_.find_version(after.id, {after.version.number - 1}, as_of).value_or(nullptr);
    if (before == nullptr) {
      return "a version before " + std::to_string(after.version.number) + " of order " + after.id.to_string();
    }
  }
  const bool is_same = stored && *stored != nullptr && **stored == after &&
                       ordem::apply(before.get(), event_of(logged.record.outcome.verdict, after)) == after;
  return is_same ? "" : "version " + std::to_string(after.version.number) + " of order " + after.id.to_string();
}

// Whether the capture is as its last entry says. It may be gone if it has expired by now, which is never before the
// time by which expired_record_filter dropped it. Steps of the clock are left out, which could only prolong a capture.
bool rocks_view::is_as_logged(const tenant_capture_key& key, const shared_capture& after, const snapshot& as_of) const {
  const auto found = records_.find_capture(key.tenant, key.name, timestamp::min(), as_of);  // an expired one too
  if (!found) return false;
  if (*found == nullptr) return after == nullptr || !after->is_kept_at(clock_.now());
  return after != nullptr && **found == *after;
}

}  // namespace ordem::storage
