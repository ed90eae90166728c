#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "engine/check.hpp"
#include "engine/decide.hpp"
#include "storage/column_families.hpp"
#include "storage/data_folder.hpp"
#include "storage/records.hpp"
#include "storage/store.hpp"
#include "storage/wal_scan.hpp"

namespace ordem::storage {
namespace {

// How many log groups the check at start folds again: some thousands of entries, a few milliseconds.
constexpr int groups_checked_at_start = 64;

// How often a folder that is being written is tried to be opened for reading.
constexpr int read_only_opens_max = 10;

template <class Encode, class... Arguments>
std::string encoded(Encode encode, const Arguments&... arguments) {
  std::string bytes;
  encode(bytes, arguments...);
  return bytes;
}

// The smallest key that is greater than every key with this prefix.
std::string end_of_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  CHECK(!prefix.empty());
  ++prefix.back();
  return prefix;
}

// A state of the database that reads are served from: the durable one.
class durable_view {
 public:
  explicit durable_view(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) { options_.snapshot = snapshot_; }
  ~durable_view() { db_.ReleaseSnapshot(snapshot_); }
  durable_view(const durable_view&) = delete;
  durable_view& operator=(const durable_view&) = delete;

  const rocksdb::ReadOptions& options() const noexcept { return options_; }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
  rocksdb::ReadOptions options_;
};

class rocks_store final : public store {
 public:
  rocks_store(store_settings settings, const time_source& clock, std::optional<data_folder> folder)
      : settings_(std::move(settings)), folder_(std::move(folder)), expired_(clock) {}

  ~rocks_store() override {
    view_.reset();
    for (auto* handle : families_) db_->DestroyColumnFamilyHandle(handle);
  }

  std::optional<open_failure> open_database();
  std::optional<open_failure> check_end_of_log();
  std::optional<open_failure> claim_folder();

  tl::expected<position, log_error> append(std::span<const entry> entries) override;
  tl::expected<position, log_error> sync() override;
  tl::expected<void, replay_error> replay(position from,
                                          const std::function<void(const logged_entry&)>& visit) const override;
  position last() const noexcept override { return {durable_.load(std::memory_order_acquire)}; }

  read_result<shared_order> find_order(order_id id) const override { return find_order(id, *current_view()); }
  read_result<shared_order> find_version(order_id id, version which) const override;
  read_result<std::vector<shared_order>> list_versions(order_id id, std::optional<version> before,
                                                       std::size_t limit) const override;
  read_result<std::vector<shared_order>> list_orders(std::string_view customer_id, std::optional<order_id> after,
                                                     std::size_t limit) const override;
  read_result<std::optional<message_record>> find_message(const guid& id, timestamp now) const override;

  store_figures figures() const override;
  void close() override;

 private:
  using shared_view = std::shared_ptr<const durable_view>;

  rocksdb::ColumnFamilyHandle* handle(family which) const { return families_[static_cast<std::size_t>(which)]; }
  shared_view current_view() const {
    const std::lock_guard lock(view_mutex_);
    return view_;
  }
  void show(shared_view view, std::uint64_t position_number);
  tl::unexpected<log_error> failed_write(const rocksdb::Status& status);

  void put(family which, std::string_view key, std::string_view value);
  void put_order(const entry& what);
  void put_messages(std::span<const entry> entries);
  void put_created_orders_by_customer(std::span<const entry> entries);

  read_result<shared_order> find_order(order_id id, const durable_view& view) const;
  read_result<shared_order> read_order(family which, std::string_view key, order_id id, const durable_view& view) const;
  tl::expected<void, replay_error> visit_group(position first, std::span<const log_reference> references, position from,
                                               const std::function<void(const logged_entry&)>& visit) const;
  tl::unexpected<read_error> failed_read(family where, std::string_view why) const;
  open_failure cannot_open(const rocksdb::Status& status) const;

  const store_settings settings_;
  const std::optional<data_folder> folder_;  // absent: opened for reading
  const expired_message_filter expired_;
  trimmed_log_filter trimmed_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;

  std::atomic<std::uint64_t> appended_{0};
  std::atomic<std::uint64_t> durable_{0};
  std::atomic<bool> failed_{false};
  mutable std::mutex view_mutex_;
  shared_view view_;

  // The appending thread's own, kept for their memory.
  rocksdb::WriteBatch batch_;
  std::vector<const entry*> sorted_;
  std::string key_;
  std::string value_;
};

// --- opening ---

open_failure rocks_store::cannot_open(const rocksdb::Status& status) const {
  const std::string folder = "'" + settings_.folder.string() + "'";
  if (status.IsCorruption()) {
    return {"the data in " + folder + " is damaged (" + status.ToString() +
            "); nothing was changed: restore the folder from a back-up, or keep it for a repair"};
  }
  return {"cannot open the data in " + folder + ": " + status.ToString()};
}

std::optional<open_failure> rocks_store::open_database() {
  const auto descriptors = family_descriptors(settings_, expired_, trimmed_);
  const std::string path = database_path(settings_.folder).string();
  std::error_code ignored;  // what is wrong with the folder RocksDB says itself
  if (folder_) std::filesystem::create_directories(path, ignored);
  if (const auto damage = find_hidden_log_end(database_path(settings_.folder))) {
    return cannot_open(rocksdb::Status::Corruption("the write-ahead log in " + *damage));
  }
  rocksdb::DB* db = nullptr;
  const auto options = database_options(settings_);
  rocksdb::Status status;
  if (folder_) {
    status = rocksdb::DB::Open(options, path, descriptors, &families_, &db);
  } else {
    // A process that writes the folder may remove a file between our reading its name and opening it; the next list of
    // names is without it.
    for (int i = 0; i < read_only_opens_max; ++i) {
      status = rocksdb::DB::OpenForReadOnly(options, path, descriptors, &families_, &db);
      if (status.ok()) break;
    }
  }
  if (!status.ok()) return cannot_open(status);
  db_.reset(db);
  view_ = std::make_shared<const durable_view>(*db_);
  return std::nullopt;
}

// Finds the last position and folds the last groups of the log again, with the same apply as live traffic: the orders
// must be what the log says.
std::optional<open_failure> rocks_store::check_end_of_log() {
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}, handle(family::log)));
  at->SeekToLast();
  if (at->Valid()) {
    const auto first = decode_log_key(at->key().ToStringView());
    const auto group = decode_log_group(at->value().ToStringView());
    if (!first || !group) return cannot_open(rocksdb::Status::Corruption("the last group of the log can't be read"));
    appended_ = first->number + group->size() - 1;
    durable_ = appended_.load();
  }

  position from{1};
  for (int i = 0; at->Valid() && i < groups_checked_at_start; ++i, at->Prev()) {
    from = decode_log_key(at->key().ToStringView()).value_or(from);
  }
  if (!at->status().ok()) return cannot_open(at->status());
  if (last() == position{}) return std::nullopt;

  std::string difference;
  const auto replayed = replay(from, [&](const logged_entry& logged) {
    if (logged.after == nullptr) return;
    const order& after = *logged.after;
    shared_order before;
    if (after.version != version{1}) {
      before = find_version(after.id, {after.version.number - 1}).value_or(nullptr);
      if (before == nullptr) {
        difference = "a version before " + std::to_string(after.version.number) + " of order " + after.id.to_string();
        return;
      }
    }
    if (apply(before.get(), event_of(logged.reference.verdict, after)) != after) {
      difference = "version " + std::to_string(after.version.number) + " of order " + after.id.to_string();
    }
  });
  if (!replayed) difference = "an order that the log names";
  if (difference.empty()) return std::nullopt;
  return cannot_open(rocksdb::Status::Corruption("the log and the orders do not agree about " + difference));
}

// A folder without FORMAT is new, or its first start was cut off: then it has no data yet.
std::optional<open_failure> rocks_store::claim_folder() {
  if (!folder_ || !folder_->is_new()) return std::nullopt;
  if (last() != position{}) {
    return open_failure{"the data folder '" + settings_.folder.string() +
                        "' has data but no FORMAT file; restore the folder from a back-up as a whole"};
  }
  const auto written = data_folder::write_format(settings_.folder);
  return written ? std::nullopt : std::optional(written.error());
}

// --- the log ---

void rocks_store::put(family which, std::string_view key, std::string_view value) {
  const auto status = batch_.Put(handle(which), key, value);
  CHECK(status.ok());
}

void rocks_store::put_order(const entry& what) {
  const order& after = *what.after;
  key_.clear();
  value_.clear();
  encode_order_key(key_, after.id);
  encode_order(value_, after);
  put(family::orders, key_, value_);
  if (what.before == nullptr) return;

  const order& before = *what.before;
  put(family::versions, encoded(encode_version_key, after.id, before.version), encoded(encode_order, before));
  if (before.content.customer_id == after.content.customer_id) return;
  const auto status =
      batch_.Delete(handle(family::customers), encoded(encode_customer_key, before.content.customer_id, after.id));
  CHECK(status.ok());
  put(family::customers, encoded(encode_customer_key, after.content.customer_id, after.id), {});
}

// Keys that come at random find their place in a memtable by a walk from cache miss to cache miss. In ascending order
// each walk begins where the last one ended. The order within a group means nothing else here: its GUIDs differ, and so
// do its new orders.
void rocks_store::put_messages(std::span<const entry> entries) {
  sorted_.clear();
  for (const entry& each : entries) sorted_.push_back(&each);
  std::sort(sorted_.begin(), sorted_.end(),
            [](const entry* a, const entry* b) { return a->guid.view() < b->guid.view(); });
  for (const entry* each : sorted_) {
    key_.clear();
    value_.clear();
    encode_message_key(key_, each->guid);
    encode_message(value_, each->record);
    put(family::messages, key_, value_);
  }
}

void rocks_store::put_created_orders_by_customer(std::span<const entry> entries) {
  sorted_.clear();
  for (const entry& each : entries) {
    if (each.record.outcome.verdict == verdict::order_created) sorted_.push_back(&each);
  }
  std::sort(sorted_.begin(), sorted_.end(), [](const entry* a, const entry* b) {
    return a->after->content.customer_id < b->after->content.customer_id;
  });
  for (const entry* each : sorted_) {
    key_.clear();
    encode_customer_key(key_, each->after->content.customer_id, each->after->id);
    put(family::customers, key_, {});
  }
}

tl::unexpected<log_error> rocks_store::failed_write(const rocksdb::Status& status) {
  if (failed_.exchange(true)) return tl::make_unexpected(log_error::failed_earlier);
  settings_.on_error("a write to the log failed, nothing more is accepted until a restart: " + status.ToString());
  return tl::make_unexpected(log_error::write_failed);
}

tl::expected<position, log_error> rocks_store::append(std::span<const entry> entries) {
  CHECK(folder_.has_value() && entries.size() <= group_entries_max);
  if (failed_) return tl::make_unexpected(log_error::failed_earlier);
  const std::uint64_t last_appended = appended_.load(std::memory_order_relaxed);
  if (entries.empty()) return position{last_appended};

  batch_.Clear();
  put_messages(entries);
  put_created_orders_by_customer(entries);  // before any update in this group moves one of them to another customer
  for (const entry& each : entries) {
    if (each.after != nullptr) put_order(each);
  }
  key_.clear();
  value_.clear();
  encode_log_key(key_, {last_appended + 1});
  encode_log_group(value_, entries);
  put(family::log, key_, value_);

  if (const auto status = db_->Write({}, &batch_); !status.ok()) return failed_write(status);
  appended_.store(last_appended + entries.size(), std::memory_order_release);
  return position{last_appended + entries.size()};
}

tl::expected<position, log_error> rocks_store::sync() {
  CHECK(folder_.has_value());
  if (failed_) return tl::make_unexpected(log_error::failed_earlier);
  // In this order: what the view holds has been written to the log before the log is synced.
  const std::uint64_t appended = appended_.load(std::memory_order_acquire);
  if (position{appended} == last()) return last();
  auto view = std::make_shared<const durable_view>(*db_);
  if (settings_.durability == durability::fsync) {
    if (const auto status = db_->SyncWAL(); !status.ok()) return failed_write(status);
  }
  show(std::move(view), appended);
  // A group that begins at or before the floor also ends before the entries that are to be kept.
  const std::uint64_t kept = settings_.log_entries_kept + group_entries_max;
  if (appended > kept) trimmed_.set_floor({appended - kept});
  return position{appended};
}

void rocks_store::show(shared_view view, std::uint64_t position_number) {
  {
    const std::lock_guard lock(view_mutex_);
    view_.swap(view);
  }
  durable_.store(position_number, std::memory_order_release);
}  // the view before it goes with its last reader, outside of the lock

tl::expected<void, replay_error> rocks_store::visit_group(position first, std::span<const log_reference> references,
                                                          position from,
                                                          const std::function<void(const logged_entry&)>& visit) const {
  for (std::size_t i = 0; i < references.size(); ++i) {
    const position at{first.number + i};
    if (at < from) continue;
    const log_reference& reference = references[i];
    shared_order after;
    if (is_accepted(reference.verdict)) {
      after = find_version(reference.order, reference.version).value_or(nullptr);
      if (after == nullptr) return tl::make_unexpected(replay_error::storage_failed);
    }
    visit({at, reference, std::move(after)});
  }
  return {};
}

tl::expected<void, replay_error> rocks_store::replay(position from,
                                                     const std::function<void(const logged_entry&)>& visit) const {
  from = std::max(from, position{1});
  if (from > last()) return {};
  const auto view = current_view();
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(view->options(), handle(family::log)));
  at->SeekForPrev(encoded(encode_log_key, from));  // the group that holds `from` begins at or before it
  if (!at->status().ok()) return tl::make_unexpected(replay_error::storage_failed);
  if (!at->Valid()) return tl::make_unexpected(replay_error::trimmed);
  for (position expected = from; at->Valid(); at->Next()) {
    const auto first = decode_log_key(at->key().ToStringView());
    const auto references = decode_log_group(at->value().ToStringView());
    if (!first || !references) return tl::make_unexpected(replay_error::storage_failed);
    if (*first > expected) return tl::make_unexpected(replay_error::trimmed);
    if (auto visited = visit_group(*first, *references, from, visit); !visited) return visited;
    expected = {first->number + references->size()};
  }
  if (!at->status().ok()) return tl::make_unexpected(replay_error::storage_failed);
  return {};
}

// --- reads ---

tl::unexpected<read_error> rocks_store::failed_read(family where, std::string_view why) const {
  settings_.on_error(std::string("a read from ") + family_names[static_cast<std::size_t>(where)] +
                     " failed: " + std::string(why));
  return tl::make_unexpected(read_error::storage_failed);
}

read_result<shared_order> rocks_store::read_order(family which, std::string_view key, order_id id,
                                                  const durable_view& view) const {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get(view.options(), handle(which), key, &value);
  if (status.IsNotFound()) return shared_order{};
  if (!status.ok()) return failed_read(which, status.ToString());
  auto found = decode_order(id, value.ToStringView());
  if (!found) return failed_read(which, "the record of order " + id.to_string() + " is damaged");
  return std::make_shared<const order>(std::move(*found));
}

read_result<shared_order> rocks_store::find_order(order_id id, const durable_view& view) const {
  const std::string_view key{reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
  return read_order(family::orders, key, id, view);
}

read_result<shared_order> rocks_store::find_version(order_id id, version which) const {
  const auto view = current_view();
  auto current = find_order(id, *view);
  if (!current || *current == nullptr || (*current)->version == which) return current;
  if (which > (*current)->version) return shared_order{};
  return read_order(family::versions, encoded(encode_version_key, id, which), id, *view);
}

read_result<std::vector<shared_order>> rocks_store::list_versions(order_id id, std::optional<version> before,
                                                                  std::size_t limit) const {
  const auto view = current_view();
  std::vector<shared_order> found;
  auto current = find_order(id, *view);
  if (!current) return tl::make_unexpected(current.error());
  if (*current == nullptr || limit == 0 || (before && *before <= version{1})) return found;
  if (!before || *before > (*current)->version) {
    before = (*current)->version;
    found.push_back(std::move(*current));
  }

  rocksdb::ReadOptions options = view->options();
  const std::string prefix_end = end_of_prefix(encoded(encode_order_key, id));
  const rocksdb::Slice upper_bound(prefix_end);
  options.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options, handle(family::versions)));
  // Newest first: the versions below `before` begin at `before - 1`.
  for (at->Seek(encoded(encode_version_key, id, version{before->number - 1})); at->Valid() && found.size() < limit;
       at->Next()) {
    auto older = decode_order(id, at->value().ToStringView());
    if (!older) return failed_read(family::versions, "a record of order " + id.to_string() + " is damaged");
    found.push_back(std::make_shared<const order>(std::move(*older)));
  }
  if (!at->status().ok()) return failed_read(family::versions, at->status().ToString());
  return found;
}

read_result<std::vector<shared_order>> rocks_store::list_orders(std::string_view customer_id,
                                                                std::optional<order_id> after,
                                                                std::size_t limit) const {
  const auto view = current_view();
  rocksdb::ReadOptions options = view->options();
  const std::string prefix = encoded(encode_customer_prefix, customer_id);
  const std::string prefix_end = end_of_prefix(prefix);
  const rocksdb::Slice upper_bound(prefix_end);
  options.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options, handle(family::customers)));

  std::vector<shared_order> found;
  at->Seek(after ? encoded(encode_customer_key, customer_id, *after) : prefix);
  for (; at->Valid() && found.size() < limit; at->Next()) {
    const auto id = decode_customer_key(at->key().ToStringView());
    if (!id) return failed_read(family::customers, "a key is damaged");
    if (after == id) continue;
    auto order = find_order(*id, *view);
    if (!order) return tl::make_unexpected(order.error());
    if (*order == nullptr) return failed_read(family::customers, "it names an order that is not there");
    found.push_back(std::move(*order));
  }
  if (!at->status().ok()) return failed_read(family::customers, at->status().ToString());
  return found;
}

read_result<std::optional<message_record>> rocks_store::find_message(const guid& id, timestamp now) const {
  thread_local std::string key;
  key.clear();
  encode_message_key(key, id);
  rocksdb::PinnableSlice value;
  const auto status = db_->Get(current_view()->options(), handle(family::messages), key, &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return failed_read(family::messages, status.ToString());
  auto found = decode_message(value.ToStringView());
  if (!found) return failed_read(family::messages, "the record of message " + std::string(id.view()) + " is damaged");
  if (found->expires_at <= now) return std::nullopt;
  return found;
}

// --- running it ---

store_figures rocks_store::figures() const {
  const auto property = [this](family which, const std::string& name) {
    std::uint64_t value = 0;
    db_->GetIntProperty(handle(which), name, &value);
    return value;
  };
  store_figures now;
  now.last = last();
  now.estimated_orders = property(family::orders, rocksdb::DB::Properties::kEstimateNumKeys);
  now.estimated_messages = property(family::messages, rocksdb::DB::Properties::kEstimateNumKeys);
  for (std::size_t i = 0; i < family_names.size(); ++i) {
    now.memtable_bytes += property(static_cast<family>(i), rocksdb::DB::Properties::kSizeAllMemTables);
    now.table_file_bytes += property(static_cast<family>(i), rocksdb::DB::Properties::kTotalSstFilesSize);
  }
  return now;
}

void rocks_store::close() {
  if (failed_) return;  // what a failed write left is for recovery to judge
  const auto status = db_->Flush({}, families_);
  if (!status.ok()) settings_.on_error("the last flush failed, the next start replays the log: " + status.ToString());
}

open_result open(store_settings settings, const time_source& clock, std::optional<data_folder> folder) {
  auto opened = std::make_unique<rocks_store>(std::move(settings), clock, std::move(folder));
  if (auto failure = opened->open_database()) return tl::make_unexpected(std::move(*failure));
  if (auto failure = opened->check_end_of_log()) return tl::make_unexpected(std::move(*failure));
  if (auto failure = opened->claim_folder()) return tl::make_unexpected(std::move(*failure));
  return opened;
}

}  // namespace

open_result open_store(store_settings settings, const time_source& clock) {
  auto folder = data_folder::open(settings.folder);
  if (!folder) return tl::make_unexpected(folder.error());
  return open(std::move(settings), clock, std::move(*folder));
}

open_result open_store_for_reading(store_settings settings, const time_source& clock) {
  if (auto checked = check_data_folder(settings.folder); !checked) return tl::make_unexpected(checked.error());
  return open(std::move(settings), clock, std::nullopt);
}

}  // namespace ordem::storage
