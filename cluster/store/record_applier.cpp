#include "cluster/store/record_applier.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "engine/base/check.hpp"
#include "storage/records/log_group.hpp"
#include "storage/records/log_record.hpp"

namespace ordem::cluster {

storage::result<void> record_applier::catch_up() {
  entries_.clear();
  while (view_.visible() < copy_.last()) {
    const position next{view_.visible().number + 1};
    auto logged = copy_.read(next, storage::group_entries_max);
    if (!logged) {
      return storage::fail_with(storage::error_code::damaged,
                                "the copy of the log cannot be read at position " + std::to_string(next.number));
    }
    std::vector<storage::entry> entries;
    entries.reserve(logged->size());
    for (storage::logged_entry& each : *logged) entries.push_back(std::move(each.what));
    if (auto applied = view_.apply(entries, next); !applied) return applied;
  }
  return {};
}

storage::result<position> record_applier::apply(std::span<const std::string_view> records) {
  ORDEM_CHECK(view_.visible() == copy_.last());
  storage::result<void> taken;
  for (const std::string_view each : records) {
    if (taken = take(each); !taken) break;
  }
  if (auto applied = apply_taken(); !applied) return tl::make_unexpected(applied.error());
  if (!taken) return tl::make_unexpected(taken.error());
  return view_.visible();
}

storage::result<void> record_applier::take(std::string_view record) {
  const auto header = storage::decode_log_record_header(record);
  if (!header || storage::log_record_bytes(header->payload_bytes) != record.size()) {
    return storage::fail_with(storage::error_code::damaged, "a record of the log is not whole");
  }
  // Decoded before the copy has it, so that nothing that cannot be applied is kept.
  storage::log_group group;
  if (header->kind == storage::log_record_kind::group) {
    auto decoded = storage::decode_log_group(storage::payload_of(*header, record));
    if (!decoded || decoded->entries.size() != header->entries || header->entries > storage::group_entries_max) {
      return storage::fail_with(
          storage::error_code::damaged,
          "the group at position " + std::to_string(header->first.number) + " of the log cannot be read");
    }
    group = std::move(*decoded);
  }
  if (entries_.size() + group.entries.size() > storage::group_entries_max) {
    if (auto applied = apply_taken(); !applied) return applied;
  }
  if (auto kept = copy_.append_record(record); !kept) return kept;
  timestamp newest = header->time;
  for (const storage::entry& each : group.entries) newest = std::max(newest, storage::decided_at(each));
  clock_.follow(newest, group.clock);
  std::move(group.entries.begin(), group.entries.end(), std::back_inserter(entries_));
  return {};
}

storage::result<void> record_applier::apply_taken() {
  const position first{view_.visible().number + 1};
  auto applied = view_.apply(entries_, first);
  entries_.clear();
  return applied;
}

}  // namespace ordem::cluster
