#include "storage/rocksdb/rocks_store.hpp"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <utility>

#include "engine/base/check.hpp"
#include "storage/records/capture_record.hpp"
#include "storage/records/clock_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/log_group.hpp"
#include "storage/records/order_record.hpp"

namespace ordem::storage {

std::string end_of_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  CHECK(!prefix.empty());
  ++prefix.back();
  return prefix;
}

// --- the log ---

void rocks_store::put(family which, std::string_view key, std::string_view value) {
  const auto status = batch_.Put(handle(which), key, value);
  CHECK(status.ok());
}

void rocks_store::put_order(const message_entry& what) {
  const order& after = *what.after;
  key_.clear();
  value_.clear();
  encode_order_key(key_, after.id);
  encode_order(value_, after);
  put(family::orders, key_, value_);
  if (what.before == nullptr) return;

  const order& before = *what.before;
  put(family::versions, encoded(encode_version_key, after.id, before.version), encoded(encode_order, before));
}

void rocks_store::put_capture(const capture_entry& what) {
  key_.clear();
  value_.clear();
  encode_capture_key(key_, what.key);
  if (what.after) {
    encode_capture(value_, *what.after);
    put(family::captures, key_, value_);
  } else {
    const auto status = batch_.Delete(handle(family::captures), key_);
    CHECK(status.ok());
  }
}

void rocks_store::put_clock(const clock_state& state) {
  const auto put = batch_.Put(families_.back(), clock_key, encoded(encode_clock_state, state));
  CHECK(put.ok());
}

// Once, whatever fails after that: on a full disk everything does. RocksDB gives up for good where it has no descriptor
// left for a table file or a log; see app/process/file_limit.hpp.
void rocks_store::report_failure(std::string_view why) {
  if (failure_reported_.exchange(true)) return;
  const bool no_descriptors = why.find("Too many open files") != std::string_view::npos;
  settings_.on_error("a write failed, nothing more is accepted until a restart: " +
                     std::string(no_descriptors ? "no file descriptors are left, which is no fault of the disk: raise "
                                                  "the limit of open files (RLIMIT_NOFILE): "
                                                : "") +
                     std::string(why));
}

// What RocksDB says, with the path that the user knows in place of the one that it was given.
std::string rocks_store::text_of(const rocksdb::Status& status) const {
  return with_known_path(status.ToString());
}

std::string rocks_store::with_known_path(std::string text) const {
  if (!database_folder_) return text;
  const std::string given = database_folder_->lasting_path().string();
  const std::string known = database_path(settings_.folder).string();
  for (auto at = text.find(given); at != text.npos; at = text.find(given, at + known.size())) {
    text.replace(at, given.size(), known);
  }
  return text;
}

tl::unexpected<log_error> rocks_store::failed_write(std::string_view why) {
  report_failure(why);
  if (failed_.exchange(true)) return tl::make_unexpected(log_error::failed_earlier);
  return tl::make_unexpected(log_error::write_failed);
}

tl::expected<position, log_error> rocks_store::append(std::span<const entry> entries) {
  CHECK(folder_.has_value() && entries.size() <= group_entries_max);
  if (failed_) return tl::make_unexpected(log_error::failed_earlier);
  if (failure_reported_) return failed_write("of the indexes");  // what has failed is not of this thread
  const std::uint64_t last_appended = appended_.load(std::memory_order_relaxed);
  if (entries.empty()) return position{last_appended};

  batch_.Clear();
  timestamp newest = newest_.load(std::memory_order_relaxed);
  for (const entry& each : entries) {
    if (const auto* changed = std::get_if<capture_entry>(&each)) {
      newest = std::max(newest, changed->at);
      put_capture(*changed);
      continue;
    }
    const auto& executed = std::get<message_entry>(each);
    newest = std::max(newest, executed.record.created_at);
    if (executed.after != nullptr) put_order(executed);
  }
  // With the first entries that may be dated after the change, so that no start finds them without it.
  const std::uint64_t clock_changes = clock_.changes();
  if (clock_changes != clock_changes_) put_clock(clock_.state());
  key_.clear();
  value_.clear();
  encode_log_key(key_, {last_appended + 1});
  encode_log_group(value_, log_bytes_, entries);
  put(family::log, key_, value_);
  const auto marked = batch_.PutLogData(log_end_mark);
  CHECK(marked.ok());

  if (const auto status = db_->Write({}, &batch_); !status.ok()) return failed_write(text_of(status));
  clock_changes_ = clock_changes;
  newest_.store(newest, std::memory_order_release);
  log_bytes_ += value_.size();
  index_.add(entries, {last_appended + 1});
  const position last{last_appended + entries.size()};
  auto view = make_view(last);
  {
    const std::lock_guard lock(view_mutex_);
    written_.swap(view);
  }
  appended_.store(last.number, std::memory_order_release);
  return last;
}

tl::expected<position, log_error> rocks_store::sync() {
  CHECK(folder_.has_value());
  if (failed_) return tl::make_unexpected(log_error::failed_earlier);
  auto view = written();
  if (view->last() == last()) return last();
  if (settings_.durability != durability::os) {
    const timestamp newest = newest_.load(std::memory_order_acquire);
    if (const auto status = db_->SyncWAL(); !status.ok()) return failed_write(text_of(status));
    expired_.confirm_durable(newest);
  }
  if (!is_in_place()) return failed_write(folder_removed);
  const position through = view->last();
  show(std::move(view));
  index_.confirm_durable(through);
  return through;
}

// A view that is replaced goes with its last reader, outside of the lock.
void rocks_store::show(shared_view view) {
  const std::uint64_t through = view->last().number;
  shared_view replaced = view;
  {
    const std::lock_guard lock(view_mutex_);
    synced_.swap(replaced);
    if (settings_.durability == durability::postgres) {
      waiting_.push_back(std::move(view));
    } else {
      shown_.swap(view);
      visible_.store(through, std::memory_order_release);
    }
  }
  durable_.store(through, std::memory_order_release);
}

void rocks_store::confirm_persisted(position through) {
  persisted_.store(through.number, std::memory_order_relaxed);
  std::vector<shared_view> replaced;
  const std::lock_guard lock(view_mutex_);
  while (!waiting_.empty() && waiting_.front()->last() <= through) {
    shown_.swap(waiting_.front());
    visible_.store(shown_->last().number, std::memory_order_release);
    replaced.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

// Gives back the space of table files that hold nothing but groups that nobody needs. A group that begins so far before
// what is needed also ends before it. RocksDB passes over a file that it is just merging: until the next time that one
// may stay where those after it are gone, so the log may have gaps before what is needed.
void rocks_store::trim_log() {
  std::uint64_t needed_from = last().number - std::min(last().number, settings_.log_entries_kept);
  needed_from = std::min(needed_from, indexed_.load(std::memory_order_relaxed));
  if (settings_.log_is_consumed) needed_from = std::min(needed_from, persisted_.load(std::memory_order_relaxed));
  if (needed_from <= group_entries_max) return;
  const std::string end = encoded(encode_log_key, position{needed_from - group_entries_max});
  const rocksdb::Slice end_slice(end);
  const auto status = rocksdb::DeleteFilesInRange(db_.get(), handle(family::log), nullptr, &end_slice);
  if (!status.ok()) settings_.on_error("the log can't be trimmed: " + text_of(status));
}

// At the group that holds this position, or the last one before it. Not valid if there is none.
std::unique_ptr<rocksdb::Iterator> rocks_store::log_group_of(position at, const snapshot& view) const {
  std::unique_ptr<rocksdb::Iterator> group(db_->NewIterator(view.options(), handle(family::log)));
  group->SeekForPrev(encoded(encode_log_key, at));
  return group;
}

// The version that an accepted message made, null of a rejected one.
read_result<shared_order> rocks_store::find_logged_order(const outcome& result, const snapshot& view) const {
  if (!is_accepted(result.verdict)) return shared_order{};
  auto after = find_version(result.order, result.version, view);
  if (after && *after == nullptr) return tl::make_unexpected(read_error::storage_failed);
  return after;
}

tl::expected<std::vector<logged_entry>, log_read_error> rocks_store::read_log(position from, std::size_t limit) const {
  std::vector<logged_entry> entries;
  from = std::max(from, position{1});
  if (from > last()) return entries;
  std::size_t items = 0;
  std::size_t captured_bytes = 0;
  const auto view = synced();
  const auto at = log_group_of(from, *view);
  if (!at->status().ok()) return tl::make_unexpected(log_read_error::storage_failed);
  if (!at->Valid()) return tl::make_unexpected(log_read_error::trimmed);
  for (position next = from; at->Valid() && entries.size() < limit; at->Next()) {
    const auto first = decode_log_key(at->key().ToStringView());
    auto group = decode_log_group(at->value().ToStringView());
    if (!first || !group) return tl::make_unexpected(log_read_error::storage_failed);
    if (*first > next) return tl::make_unexpected(log_read_error::trimmed);
    auto& logged = group->entries;
    for (std::size_t i = next.number - first->number; i < logged.size() && entries.size() < limit; ++i) {
      if (auto* changed = std::get_if<capture_entry>(&logged[i])) {
        if (changed->after && changed->after->response) captured_bytes += bytes_of(*changed->after->response);
        entries.push_back({next, std::move(*changed)});
      } else {
        auto& message = std::get<message_entry>(logged[i]);
        auto after = find_logged_order(message.record.outcome, *view);
        if (!after) return tl::make_unexpected(log_read_error::storage_failed);
        if (*after != nullptr) items += (*after)->content.items.size();
        message.after = std::move(*after);
        entries.push_back({next, std::move(message)});
      }
      ++next.number;
      if (items >= log_read_items_max || captured_bytes >= log_read_captured_bytes_max) return entries;
    }
  }
  if (!at->status().ok()) return tl::make_unexpected(log_read_error::storage_failed);
  return entries;
}

tl::expected<position, log_read_error> rocks_store::first() const {
  const auto view = synced();
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(view->options(), handle(family::log)));
  position begin;
  position next;
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const auto first = decode_log_key(at->key().ToStringView());
    const auto group = decode_log_group(at->value().ToStringView());
    if (!first || !group) return tl::make_unexpected(log_read_error::storage_failed);
    if (*first != next) begin = *first;  // see trim_log(): what stands before a gap is not of the log any more
    next = {first->number + group->entries.size()};
  }
  if (!at->status().ok()) return tl::make_unexpected(log_read_error::storage_failed);
  return begin;
}

tl::expected<std::uint64_t, log_read_error> rocks_store::bytes_after(position at) const {
  if (at >= last()) return 0;
  const auto view = synced();
  // From the group that holds the entry after `at` to the end of the last group.
  const auto from = log_group_of({at.number + 1}, *view);
  if (!from->Valid()) from->SeekToFirst();
  const auto to = log_group_of(last(), *view);
  if (!from->status().ok() || !to->status().ok()) return tl::make_unexpected(log_read_error::storage_failed);
  if (!from->Valid() || !to->Valid()) return 0;
  const auto first = decode_log_group(from->value().ToStringView());
  const auto final = decode_log_group(to->value().ToStringView());
  if (!first || !final) return tl::make_unexpected(log_read_error::storage_failed);
  return final->bytes_before + to->value().size() - first->bytes_before;
}

// --- reads ---

tl::unexpected<read_error> rocks_store::failed_read(family where, std::string_view why) const {
  settings_.on_error(std::string("a read from ") + family_names[static_cast<std::size_t>(where)] +
                     " failed: " + std::string(why));
  return tl::make_unexpected(read_error::storage_failed);
}

read_result<shared_order> rocks_store::read_order(family which, std::string_view key, order_id id,
                                                  const snapshot& view) const {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get(view.options(), handle(which), key, &value);
  if (status.IsNotFound()) return shared_order{};
  if (!status.ok()) return failed_read(which, text_of(status));
  return decode_found(which, value.ToStringView(), id);
}

read_result<shared_order> rocks_store::decode_found(family where, std::string_view record, order_id id) const {
  auto found = decode_order(id, record);
  if (!found) return failed_read(where, "the record of order " + id.to_string() + " is damaged");
  return std::make_shared<const order>(std::move(*found));
}

read_result<shared_order> rocks_store::find_order(order_id id, const snapshot& view) const {
  const std::string_view key{reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
  const recent_record* recent = view.find_recent(&memtable::orders, key);
  if (recent != nullptr && !recent->removed) return decode_found(family::orders, recent->value(), id);
  return read_order(family::orders, key, id, view);
}

// What fails here is left to find_order(), which reports it.
std::optional<shared_order> rocks_store::find_cached_order(order_id id) const {
  const auto view = shown();
  const std::string_view key{reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
  const recent_record* recent = view->find_recent(&memtable::orders, key);
  rocksdb::PinnableSlice stored;
  if (recent == nullptr || recent->removed) {
    rocksdb::ReadOptions options = view->options();
    options.read_tier = rocksdb::kBlockCacheTier;
    const auto status = db_->Get(options, handle(family::orders), key, &stored);
    if (status.IsNotFound()) return shared_order{};
    if (!status.ok()) return std::nullopt;  // as a rule Incomplete: the block is not in the cache
  }
  auto found = decode_order(id, recent != nullptr && !recent->removed ? recent->value() : stored.ToStringView());
  if (!found) return std::nullopt;
  return std::make_shared<const order>(std::move(*found));
}

read_result<shared_order> rocks_store::find_version(order_id id, version which) const {
  return find_version(id, which, *shown());
}

read_result<shared_order> rocks_store::find_version(order_id id, version which, const snapshot& view) const {
  auto current = find_order(id, view);
  if (!current || *current == nullptr || (*current)->version == which) return current;
  if (which > (*current)->version) return shared_order{};
  return read_order(family::versions, encoded(encode_version_key, id, which), id, view);
}

read_result<shared_capture> rocks_store::find_capture(const capture_key& key, const clock_reading& now) const {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get(shown()->options(), handle(family::captures), encoded(encode_capture_key, key), &value);
  if (status.IsNotFound()) return shared_capture{};
  if (!status.ok()) return failed_read(family::captures, text_of(status));
  auto found = decode_capture(value.ToStringView());
  if (!found) return failed_read(family::captures, "the record of " + std::string(key.view()) + " is damaged");
  if (!found->is_kept_at(now)) return shared_capture{};
  return std::make_shared<const capture>(std::move(*found));
}

// From the first record of a family to the last. `read` says whether to go on; nothing, if the record is damaged.
read_result<void> rocks_store::scan(
    family which, const std::function<std::optional<bool>(std::string_view key, std::string_view value)>& read) const {
  const auto view = shown();
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(view->options(), handle(which)));
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const auto goes_on = read(at->key().ToStringView(), at->value().ToStringView());
    if (!goes_on) return failed_read(which, "a record is damaged");
    if (!*goes_on) return {};
  }
  if (!at->status().ok()) return failed_read(which, text_of(at->status()));
  return {};
}

read_result<void> rocks_store::scan_orders(const std::function<bool(const shared_order&)>& visit) const {
  return scan(family::orders, [&](std::string_view key, std::string_view value) -> std::optional<bool> {
    const auto id = decode_order_key(key);
    auto found = id ? decode_order(*id, value) : std::nullopt;
    if (!found) return std::nullopt;
    return visit(std::make_shared<const order>(std::move(*found)));
  });
}

read_result<void> rocks_store::scan_captures(
    const clock_reading& now, const std::function<bool(const capture_key&, const shared_capture&)>& visit) const {
  return scan(family::captures, [&](std::string_view key, std::string_view value) -> std::optional<bool> {
    const auto id = decode_capture_key(key);
    auto found = decode_capture(value);
    if (!id || !found) return std::nullopt;
    return !found->is_kept_at(now) || visit(*id, std::make_shared<const capture>(std::move(*found)));
  });
}

// --- running it ---

store_stats rocks_store::stats() const {
  const auto property = [this](family which, const std::string& name) {
    std::uint64_t value = 0;
    db_->GetIntProperty(handle(which), name, &value);
    return value;
  };
  store_stats now;
  now.last = last();
  now.estimated_orders = property(family::orders, rocksdb::DB::Properties::kEstimateNumKeys);
  now.estimated_messages = property(family::messages, rocksdb::DB::Properties::kEstimateNumKeys);
  for (const auto& each : *index_.memtables()) now.estimated_messages += each->messages.size();
  now.estimated_captures = property(family::captures, rocksdb::DB::Properties::kEstimateNumKeys);
  for (std::size_t i = 0; i < family_names.size(); ++i) {
    now.memtable_bytes += property(static_cast<family>(i), rocksdb::DB::Properties::kSizeAllMemTables);
    now.table_file_bytes += property(static_cast<family>(i), rocksdb::DB::Properties::kTotalSstFilesSize);
  }
  return now;
}

void rocks_store::close() {
  if (failed_) return;  // what a failed write left is for recovery to judge
  const auto status = db_->Flush({}, families_);
  if (!status.ok()) {
    settings_.on_error("the last flush failed, the next start replays the log: " + text_of(status));
  } else if (!index_.flush_remaining(appended())) {
    settings_.on_error("the indexes could not be written, the next start makes them from the log");
  }
}

}  // namespace ordem::storage
