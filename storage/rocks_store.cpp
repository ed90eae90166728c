#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <utility>

#include "engine/check.hpp"
#include "engine/decide.hpp"
#include "storage/column_families.hpp"
#include "storage/data_folder.hpp"
#include "storage/records.hpp"
#include "storage/store.hpp"

namespace ordem::storage {
namespace {

// How many log groups the check at start folds again: some thousands of entries, a few milliseconds.
constexpr int groups_checked_at_start = 64;

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

class rocks_store final : public store {
 public:
  rocks_store(store_settings settings, const time_source& clock, std::optional<data_folder> folder)
      : settings_(std::move(settings)), folder_(std::move(folder)), expired_(clock) {
    write_options_.sync = settings_.durability == durability::fsync;
  }

  ~rocks_store() override {
    for (auto* handle : families_) db_->DestroyColumnFamilyHandle(handle);
  }

  std::optional<open_failure> open_database();
  std::optional<open_failure> check_end_of_log();

  tl::expected<position, append_error> append(std::span<const entry> entries) override;
  tl::expected<void, replay_error> replay(position from,
                                          const std::function<void(const logged_entry&)>& visit) const override;
  position last() const noexcept override { return {last_.load(std::memory_order_acquire)}; }

  read_result<shared_order> find_order(order_id id) const override { return find_order(id, {}); }
  read_result<shared_order> find_version(order_id id, version which) const override;
  read_result<std::vector<shared_order>> list_versions(order_id id, std::optional<version> before,
                                                       std::size_t limit) const override;
  read_result<std::vector<shared_order>> list_orders(std::string_view customer_id, std::optional<order_id> after,
                                                     std::size_t limit) const override;
  read_result<std::optional<message_record>> find_message(const guid& id, timestamp now) const override;

  store_figures figures() const override;
  void close() override;

 private:
  // A consistent view for several reads, given back when it goes.
  class snapshot {
   public:
    explicit snapshot(rocksdb::DB& db) : db_(db), held_(db.GetSnapshot()) { options_.snapshot = held_; }
    ~snapshot() { db_.ReleaseSnapshot(held_); }
    snapshot(const snapshot&) = delete;
    snapshot& operator=(const snapshot&) = delete;
    const rocksdb::ReadOptions& options() const noexcept { return options_; }

   private:
    rocksdb::DB& db_;
    const rocksdb::Snapshot* held_;
    rocksdb::ReadOptions options_;
  };

  rocksdb::ColumnFamilyHandle* handle(family which) const { return families_[static_cast<std::size_t>(which)]; }
  void put(family which, std::string_view key, std::string_view value);
  void put_order(const entry& what);

  read_result<shared_order> find_order(order_id id, const rocksdb::ReadOptions& options) const;
  read_result<shared_order> read_order(family which, std::string_view key, order_id id,
                                       const rocksdb::ReadOptions& options) const;
  tl::expected<void, replay_error> visit_group(position first, std::string_view record, position from,
                                               const std::function<void(const logged_entry&)>& visit) const;
  tl::unexpected<read_error> failed_read(family where, std::string_view why) const;
  open_failure cannot_open(const rocksdb::Status& status) const;

  const store_settings settings_;
  const std::optional<data_folder> folder_;  // absent: opened for reading
  const expired_message_filter expired_;
  trimmed_log_filter trimmed_;
  rocksdb::WriteOptions write_options_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::atomic<std::uint64_t> last_{0};

  // The appending thread's own.
  bool failed_ = false;
  rocksdb::WriteBatch batch_;
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
  rocksdb::DB* db = nullptr;
  const auto options = database_options(settings_);
  const auto status = folder_ ? rocksdb::DB::Open(options, path, descriptors, &families_, &db)
                              : rocksdb::DB::OpenForReadOnly(options, path, descriptors, &families_, &db);
  if (!status.ok()) return cannot_open(status);
  db_.reset(db);
  return std::nullopt;
}

// Finds the last position and folds the last groups of the log again, with the same apply as live traffic: the orders must be what
// the log says.
std::optional<open_failure> rocks_store::check_end_of_log() {
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}, handle(family::log)));
  at->SeekToLast();
  if (at->Valid()) {
    const auto first = decode_log_key(at->key().ToStringView());
    const auto group = decode_log_group(at->value().ToStringView());
    if (!first || !group) return cannot_open(rocksdb::Status::Corruption("the last group of the log can't be read"));
    last_ = first->number + group->size() - 1;
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

// --- the log ---

void rocks_store::put(family which, std::string_view key, std::string_view value) {
  const auto status = batch_.Put(handle(which), key, value);
  CHECK(status.ok());
}

void rocks_store::put_order(const entry& what) {
  const order& after = *what.after;
  const bool moved = what.before != nullptr && what.before->content.customer_id != after.content.customer_id;
  if (what.before != nullptr) {
    put(family::versions, encoded(encode_version_key, after.id, what.before->version),
        encoded(encode_order, *what.before));
  }
  if (moved) {
    const auto status =
        batch_.Delete(handle(family::customers), encoded(encode_customer_key, what.before->content.customer_id, after.id));
    CHECK(status.ok());
  }
  key_.clear();
  value_.clear();
  encode_order_key(key_, after.id);
  encode_order(value_, after);
  put(family::orders, key_, value_);
  if (what.before == nullptr || moved) {
    key_.clear();
    encode_customer_key(key_, after.content.customer_id, after.id);
    put(family::customers, key_, {});
  }
}

tl::expected<position, append_error> rocks_store::append(std::span<const entry> entries) {
  CHECK(folder_.has_value() && entries.size() <= group_entries_max);
  if (failed_) return tl::make_unexpected(append_error::failed_earlier);
  if (entries.empty()) return last();

  batch_.Clear();
  for (const entry& each : entries) {
    if (each.after != nullptr) put_order(each);
    key_.clear();
    value_.clear();
    encode_message_key(key_, each.guid);
    encode_message(value_, each.record);
    put(family::messages, key_, value_);
  }
  key_.clear();
  value_.clear();
  encode_log_key(key_, {last().number + 1});
  encode_log_group(value_, entries);
  put(family::log, key_, value_);

  if (const auto status = db_->Write(write_options_, &batch_); !status.ok()) {
    failed_ = true;
    settings_.on_error("a write to the log failed, nothing more is accepted until a restart: " + status.ToString());
    return tl::make_unexpected(append_error::write_failed);
  }
  const std::uint64_t now_last = last().number + entries.size();
  last_.store(now_last, std::memory_order_release);
  // A group that begins at or before the floor also ends before the entries that are to be kept.
  const std::uint64_t kept = settings_.log_entries_kept + group_entries_max;
  if (now_last > kept) trimmed_.set_floor({now_last - kept});
  return last();
}

tl::expected<void, replay_error> rocks_store::visit_group(position first, std::string_view record, position from,
                                                          const std::function<void(const logged_entry&)>& visit) const {
  const auto references = decode_log_group(record);
  if (!references) return tl::make_unexpected(replay_error::storage_failed);
  for (std::size_t i = 0; i < references->size(); ++i) {
    const position at{first.number + i};
    if (at < from) continue;
    const log_reference& reference = (*references)[i];
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
  if (from > last()) return {};
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}, handle(family::log)));
  at->SeekForPrev(encoded(encode_log_key, from));  // the group that holds `from` begins at or before it
  if (!at->status().ok()) return tl::make_unexpected(replay_error::storage_failed);
  if (!at->Valid()) return tl::make_unexpected(replay_error::trimmed);
  for (position expected = from; at->Valid(); at->Next()) {
    const auto first = decode_log_key(at->key().ToStringView());
    if (!first) return tl::make_unexpected(replay_error::storage_failed);
    if (*first > expected) return tl::make_unexpected(replay_error::trimmed);
    if (auto visited = visit_group(*first, at->value().ToStringView(), from, visit); !visited) return visited;
    expected = {first->number + decode_log_group(at->value().ToStringView())->size()};
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
                                                  const rocksdb::ReadOptions& options) const {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get(options, handle(which), key, &value);
  if (status.IsNotFound()) return shared_order{};
  if (!status.ok()) return failed_read(which, status.ToString());
  auto found = decode_order(id, value.ToStringView());
  if (!found) return failed_read(which, "the record of order " + id.to_string() + " is damaged");
  return std::make_shared<const order>(std::move(*found));
}

read_result<shared_order> rocks_store::find_order(order_id id, const rocksdb::ReadOptions& options) const {
  const std::string_view key{reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
  return read_order(family::orders, key, id, options);
}

read_result<shared_order> rocks_store::find_version(order_id id, version which) const {
  // The current version first: one that is superseded between the two reads is then found in the second.
  auto current = find_order(id);
  if (!current || *current == nullptr || (*current)->version == which) return current;
  if (which > (*current)->version) return shared_order{};
  return read_order(family::versions, encoded(encode_version_key, id, which), id, {});
}

read_result<std::vector<shared_order>> rocks_store::list_versions(order_id id, std::optional<version> before,
                                                                  std::size_t limit) const {
  const snapshot view(*db_);
  std::vector<shared_order> found;
  auto current = find_order(id, view.options());
  if (!current) return tl::make_unexpected(current.error());
  if (*current == nullptr || limit == 0) return found;
  if (!before || *before > (*current)->version) {
    before = (*current)->version;
    found.push_back(std::move(*current));
  }

  rocksdb::ReadOptions options = view.options();
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
  const snapshot view(*db_);
  rocksdb::ReadOptions options = view.options();
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
    auto order = find_order(*id, view.options());
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
  const auto status = db_->Get({}, handle(family::messages), key, &value);
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
  if (const auto synced = db_->SyncWAL(); !synced.ok()) {
    settings_.on_error("the last sync of the log failed: " + synced.ToString());
  }
}

open_result open(store_settings settings, const time_source& clock, std::optional<data_folder> folder) {
  auto opened = std::make_unique<rocks_store>(std::move(settings), clock, std::move(folder));
  if (auto failure = opened->open_database()) return tl::make_unexpected(std::move(*failure));
  if (auto failure = opened->check_end_of_log()) return tl::make_unexpected(std::move(*failure));
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
