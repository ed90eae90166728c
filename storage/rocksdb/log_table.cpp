#include "storage/rocksdb/log_table.hpp"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <utility>

#include "engine/base/check.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/log_group.hpp"

namespace ordem::storage {

// --- writing ---

void log_table::append(rocksdb::WriteBatch& batch, position first, std::span<const entry> entries) {
  key_.clear();
  value_.clear();
  encode_log_key(key_, first);
  encode_log_group(value_, bytes_, entries);
  const auto put = batch.Put(db_.handle(family::log), key_, value_);
  CHECK(put.ok());
  const auto marked = batch.PutLogData(log_end_mark);
  CHECK(marked.ok());
}

rocksdb::Status log_table::trim(std::uint64_t needed_from) {
  if (needed_from <= group_entries_max) return rocksdb::Status::OK();
  const std::string end = encoded(encode_log_key, position{needed_from - group_entries_max});
  const rocksdb::Slice end_slice(end);
  return rocksdb::DeleteFilesInRange(&*db_, db_.handle(family::log), nullptr, &end_slice);
}

// --- reading ---

// Returns an iterator at the group that holds this position, or at the last one before it. Not valid if there is none.
std::unique_ptr<rocksdb::Iterator> log_table::seek_group(position at, const snapshot& as_of) const {
  std::unique_ptr<rocksdb::Iterator> group(db_->NewIterator(as_of.options(), db_.handle(family::log)));
  group->SeekForPrev(encoded(encode_log_key, at));
  return group;
}

// Returns the version that an accepted message made, or null for a rejected one.
read_result<shared_order> log_table::find_order_after(const outcome& result, const snapshot& as_of) const {
  if (!is_accepted(result.verdict)) return shared_order{};
  auto after = records_.find_version(result.order, result.version, as_of);
  if (after && *after == nullptr) return tl::make_unexpected(read_error::storage_failed);
  return after;
}

tl::expected<std::vector<logged_entry>, log_read_error> log_table::read(position from, std::size_t limit,
                                                                        const snapshot& as_of) const {
  std::vector<logged_entry> entries;
  std::size_t items = 0;
  std::size_t captured_bytes = 0;
  const auto at = seek_group(from, as_of);
  if (!at->status().ok()) return tl::make_unexpected(log_read_error::storage_failed);
  if (!at->Valid()) return tl::make_unexpected(log_read_error::trimmed);
  for (position next = from; at->Valid() && entries.size() < limit; at->Next()) {
    const auto first = decode_log_key(at->key().ToStringView());
    auto group = decode_log_group(at->value().ToStringView());
    if (!first || !group) return tl::make_unexpected(log_read_error::storage_failed);
    if (*first > next) return tl::make_unexpected(log_read_error::trimmed);
    auto& logged = group->entries;
    for (std::size_t i = next.number - first->number; i < logged.size() && entries.size() < limit; ++i) {
      if (auto* message = std::get_if<message_entry>(&logged[i])) {
        auto after = find_order_after(message->record.outcome, as_of);
        if (!after) return tl::make_unexpected(log_read_error::storage_failed);
        if (*after != nullptr) items += (*after)->content.items.size();
        message->after = std::move(*after);
      } else {
        captured_bytes += captured_bytes_of(logged[i]);
      }
      entries.push_back({next, std::move(logged[i])});
      ++next.number;
      if (items >= log_read_items_max || captured_bytes >= log_read_captured_bytes_max) return entries;
    }
  }
  if (!at->status().ok()) return tl::make_unexpected(log_read_error::storage_failed);
  return entries;
}

tl::expected<position, log_read_error> log_table::first(const snapshot& as_of) const {
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(as_of.options(), db_.handle(family::log)));
  position begin;
  position next;
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const auto first = decode_log_key(at->key().ToStringView());
    const auto group = decode_log_group(at->value().ToStringView());
    if (!first || !group) return tl::make_unexpected(log_read_error::storage_failed);
    if (*first != next) begin = *first;  // see trim(): groups before a gap no longer belong to the log
    next = {first->number + group->entries.size()};
  }
  if (!at->status().ok()) return tl::make_unexpected(log_read_error::storage_failed);
  return begin;
}

tl::expected<std::uint64_t, log_read_error> log_table::bytes_after(position at, const snapshot& as_of) const {
  // From the group that holds the entry after `at` to the end of the last group.
  const auto from = seek_group({at.number + 1}, as_of);
  if (!from->Valid()) from->SeekToFirst();
  const auto to = seek_group(as_of.last(), as_of);
  if (!from->status().ok() || !to->status().ok()) return tl::make_unexpected(log_read_error::storage_failed);
  if (!from->Valid() || !to->Valid()) return 0;
  const auto first = decode_log_group(from->value().ToStringView());
  const auto final = decode_log_group(to->value().ToStringView());
  if (!first || !final) return tl::make_unexpected(log_read_error::storage_failed);
  return final->bytes_before + to->value().size() - first->bytes_before;
}

}  // namespace ordem::storage
