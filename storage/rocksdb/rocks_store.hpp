// The store on RocksDB. Only for storage/*.cpp: others see storage/log/store.hpp.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/log/store.hpp"
#include "storage/rocksdb/column_families.hpp"
#include "storage/rocksdb/data_folder.hpp"
#include "storage/rocksdb/recent_index.hpp"
#include "storage/rocksdb/wal_scan.hpp"

namespace ordem::storage {

template <class Encode, class... Arguments>
std::string encoded(Encode encode, const Arguments&... arguments) {
  std::string bytes;
  encode(bytes, arguments...);
  return bytes;
}

// Keys of the default family.
inline constexpr std::string_view indexed_key = "indexed";
inline constexpr std::string_view clock_key = "clock";

// The smallest key that is greater than every key with this prefix.
std::string end_of_prefix(std::string prefix);

// Why nothing is written any more to a folder that is not where it was.
inline constexpr std::string_view folder_removed =
    "the data folder was removed or replaced while it was served; what was acknowledged is in the one that was removed";

// A state of the data that reads are served from: everything up to a position, and nothing after it.
class snapshot {
 public:
  // What the database has now, and what of the indexes it may not have yet.
  snapshot(rocksdb::DB& db, position last, std::shared_ptr<const memtable_list> recent)
      : db_(db), snapshot_(db.GetSnapshot()), last_(last), recent_(std::move(recent)) {
    options_.snapshot = snapshot_;
  }
  ~snapshot() { db_.ReleaseSnapshot(snapshot_); }
  snapshot(const snapshot&) = delete;
  snapshot& operator=(const snapshot&) = delete;

  const rocksdb::ReadOptions& options() const noexcept { return options_; }
  position last() const noexcept { return last_; }
  const memtable_list& recent() const noexcept { return *recent_; }
  // The newest record of that name in one of the tables of `recent`, if there is one. Lives as long as the view.
  const recent_record* find_recent(recent_records memtable::* table, std::string_view name) const noexcept {
    for (const auto& each : *recent_) {
      if (const recent_record* found = ((*each).*table).find(name, last_)) return found;
    }
    return nullptr;
  }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
  rocksdb::ReadOptions options_;
  const position last_;
  const std::shared_ptr<const memtable_list> recent_;
};

class rocks_store final : public store {
 public:
  rocks_store(store_settings settings, time_source& clock, std::string log_id, std::optional<data_folder> folder)
      : settings_(std::move(settings)),
        log_id_(std::move(log_id)),
        folder_(std::move(folder)),
        clock_(clock),
        expired_(clock),
        index_(settings_.index_entries, [this](const memtable& what) { return write_index(what); }) {}

  ~rocks_store() override {
    index_.stop();
    waiting_.clear();
    shown_.reset();
    synced_.reset();
    written_.reset();
    for (auto* handle : families_) db_->DestroyColumnFamilyHandle(handle);
    db_.reset();  // whose threads report errors to this object
  }

  std::optional<error> open_database();
  std::optional<error> check_end_of_log();
  std::optional<error> find_newest_order();
  std::optional<error> resume_clock(std::optional<timestamp> newest);
  std::optional<error> recover_memtables();
  std::optional<error> claim_folder();
  std::string difference_in(const message_entry& logged) const;
  bool is_as_logged(const capture_key& key, const shared_capture& after) const;

  tl::expected<position, log_error> append(std::span<const entry> entries) override;
  tl::expected<position, log_error> sync() override;
  tl::expected<std::vector<logged_entry>, log_read_error> read_log(position from, std::size_t limit) const override;
  position last() const noexcept override { return {durable_.load(std::memory_order_acquire)}; }
  position appended() const noexcept override { return {appended_.load(std::memory_order_acquire)}; }
  tl::expected<position, log_read_error> first() const override;
  void confirm_persisted(position through) override;
  tl::expected<std::uint64_t, log_read_error> bytes_after(position at) const override;
  const std::string& log_id() const noexcept override { return log_id_; }
  std::optional<order_id> newest_order() const noexcept override { return newest_order_; }

  position visible() const noexcept override { return {visible_.load(std::memory_order_acquire)}; }
  read_result<shared_order> find_order(order_id id) const override { return find_order(id, *shown()); }
  std::optional<shared_order> find_cached_order(order_id id) const override;
  read_result<shared_order> find_version(order_id id, version which) const override;
  std::unique_ptr<order_list> list_versions(order_id id, std::optional<version> before) const override;
  std::unique_ptr<order_list> list_orders(std::string_view customer_id, std::optional<order_id> after) const override;
  read_result<std::optional<message_record>> find_message(const guid& id, const clock_reading& now) const override;

  read_result<shared_capture> find_capture(const capture_key& key, const clock_reading& now) const override;

  read_result<void> scan_orders(const std::function<bool(const shared_order&)>& visit) const override;
  read_result<void> scan_messages(const clock_reading& now,
                                  const std::function<bool(const guid&, const message_record&)>& visit) const override;

  read_result<void> scan_captures(
      const clock_reading& now,
      const std::function<bool(const capture_key&, const shared_capture&)>& visit) const override;

  store_stats stats() const override;
  void close() override;

 private:
  friend class rocks_loader;
  class customer_list;
  class version_list;
  using shared_view = std::shared_ptr<const snapshot>;
  shared_view make_view(position last) const {
    return std::make_shared<const snapshot>(*db_, last, index_.memtables());
  }

  rocksdb::ColumnFamilyHandle* handle(family which) const { return families_[static_cast<std::size_t>(which)]; }
  shared_view shown() const {
    const std::lock_guard lock(view_mutex_);
    return shown_;
  }
  shared_view written() const {
    const std::lock_guard lock(view_mutex_);
    return written_;
  }
  shared_view synced() const {
    const std::lock_guard lock(view_mutex_);
    return synced_;
  }
  void show(shared_view view);
  void trim_log();
  rocksdb::Status put_indexed(position through);
  void put_clock(const clock_state& state);
  bool write_index(const memtable& what);
  bool is_in_place() const noexcept { return !database_folder_ || database_folder_->is_in_place(); }
  std::string text_of(const rocksdb::Status& status) const;
  std::string with_known_path(std::string text) const;
  std::optional<error> drop(const torn_record& torn) const;
  void report_failure(std::string_view why);
  tl::unexpected<log_error> failed_write(std::string_view why);

  void put(family which, std::string_view key, std::string_view value);
  void put_order(const message_entry& what);
  void put_capture(const capture_entry& what);

  read_result<shared_order> find_order(order_id id, const snapshot& view) const;
  read_result<shared_order> find_version(order_id id, version which, const snapshot& view) const;
  read_result<shared_order> read_order(family which, std::string_view key, order_id id, const snapshot& view) const;
  read_result<shared_order> decode_found(family where, std::string_view record, order_id id) const;
  read_result<shared_order> find_logged_order(const outcome& result, const snapshot& view) const;
  read_result<void> scan(
      family which, const std::function<std::optional<bool>(std::string_view key, std::string_view value)>& read) const;
  std::unique_ptr<rocksdb::Iterator> log_group_of(position at, const snapshot& view) const;
  tl::unexpected<read_error> failed_read(family where, std::string_view why) const;
  error cannot_open(const rocksdb::Status& status) const;

  const store_settings settings_;
  const std::string log_id_;
  const std::optional<data_folder> folder_;  // absent: opened for reading
  time_source& clock_;
  expired_record_filter expired_;
  std::optional<held_folder> database_folder_;  // absent: opened for reading, as the next
  std::optional<held_folder> incoming_folder_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::optional<order_id> newest_order_;

  std::atomic<std::uint64_t> appended_{0};
  std::atomic<std::uint64_t> durable_{0};
  std::atomic<std::uint64_t> visible_{0};
  std::atomic<std::uint64_t> persisted_{0};
  std::atomic<std::uint64_t> indexed_{0};
  std::atomic<timestamp> newest_{timestamp::min()};  // of the times of the appended entries
  std::atomic<bool> failed_{false};
  std::atomic<bool> failure_reported_{false};
  mutable std::mutex view_mutex_;
  shared_view written_;              // after the last append
  shared_view synced_;               // what the log is read from
  shared_view shown_;                // what reads are served from
  std::deque<shared_view> waiting_;  // durable, but not to be shown before they are persisted too

  // The appending thread's own; the last three are kept for their memory.
  std::uint64_t log_bytes_ = 0;
  std::uint64_t clock_changes_ = 0;  // of the clock's, those that are kept
  rocksdb::WriteBatch batch_;
  std::string key_;
  std::string value_;

  recent_index index_;
};

}  // namespace ordem::storage
