// The store on RocksDB: puts together the database, the log, the snapshots and the memtables. Only for
// storage/rocksdb/*.cpp: others see storage/log/store.hpp, which says what each function does and which thread may
// call it.
#pragma once

#include <rocksdb/write_batch.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/log/store.hpp"
#include "storage/rocksdb/column_families.hpp"
#include "storage/rocksdb/data_folder.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/log_table.hpp"
#include "storage/rocksdb/order_lists.hpp"
#include "storage/rocksdb/recent_index.hpp"
#include "storage/rocksdb/record_reader.hpp"
#include "storage/rocksdb/snapshot_set.hpp"

namespace ordem::storage {

class rocks_store final : public store {
 public:
  // `folder`: holds the lock of a store that writes; absent for one that only reads.
  rocks_store(store_settings settings, time_source& clock, std::string log_id, std::optional<data_folder> folder)
      : settings_(std::move(settings)),
        log_id_(std::move(log_id)),
        folder_(std::move(folder)),
        clock_(clock),
        expired_(clock),
        database_(settings_),
        records_(database_),
        log_(database_, records_),
        snapshots_(settings_.durability == durability::postgres ? visibility::once_persisted
                                                                : visibility::once_durable),
        index_(settings_.index_entries, [this](const memtable& what) { return write_index(what); }) {}

  // Opens and recovers the database. Called once, before every other function. After a failure the store can only be
  // destroyed.
  result<void> open();

  tl::expected<position, log_error> append(std::span<const entry> entries) override;
  tl::expected<position, log_error> sync() override;
  tl::expected<std::vector<logged_entry>, log_read_error> read_log(position from, std::size_t limit) const override;
  position last() const noexcept override { return snapshots_.durable_position(); }
  position appended() const noexcept override { return snapshots_.appended_position(); }
  tl::expected<position, log_read_error> first() const override { return log_.first(*snapshots_.durable()); }
  void confirm_persisted(position through) override;
  tl::expected<std::uint64_t, log_read_error> bytes_after(position at) const override;
  const std::string& log_id() const noexcept override { return log_id_; }
  std::optional<order_id> newest_order() const noexcept override { return newest_order_; }

  position visible() const noexcept override { return snapshots_.visible_position(); }
  read_result<shared_order> find_order(order_id id) const override {
    return records_.find_order(id, *snapshots_.visible());
  }
  std::optional<shared_order> find_cached_order(order_id id) const override {
    return records_.find_cached_order(id, *snapshots_.visible());
  }
  read_result<shared_order> find_version(order_id id, version which) const override {
    return records_.find_version(id, which, *snapshots_.visible());
  }
  std::unique_ptr<order_list> list_versions(order_id id, std::optional<version> before) const override {
    return list_versions_of(database_, records_, snapshots_.visible(), id, before);
  }
  std::unique_ptr<order_list> list_orders(std::string_view customer_id, std::optional<order_id> after) const override {
    return list_orders_of(database_, records_, snapshots_.visible(), customer_id, after);
  }
  read_result<std::optional<message_record>> find_message(const guid& id, const clock_reading& now) const override {
    return records_.find_message(id, now, *snapshots_.visible());
  }
  read_result<shared_capture> find_capture(const capture_key& key, const clock_reading& now) const override {
    return records_.find_capture(key, now, *snapshots_.visible());
  }

  read_result<void> scan_orders(const std::function<bool(const shared_order&)>& visit) const override;
  read_result<void> scan_messages(const clock_reading& now,
                                  const std::function<bool(const guid&, const message_record&)>& visit) const override;
  read_result<void> scan_captures(
      const clock_reading& now,
      const std::function<bool(const capture_key&, const shared_capture&)>& visit) const override;

  store_stats stats() const override;
  void close() override;

 private:
  shared_snapshot take_snapshot(position last) const {
    return std::make_shared<const snapshot>(*database_, last, index_.memtables());
  }
  result<void> recover();
  result<void> resume_clock(std::optional<timestamp> newest);
  result<void> claim_folder();

  void put(family which, std::string_view key, std::string_view value);
  void put_order(const message_entry& what);
  void put_capture(const capture_entry& what);
  bool write_index(const memtable& what);
  void trim_log();
  void report_failure(std::string_view why);
  tl::unexpected<log_error> failed_write(std::string_view why);

  read_result<void> scan(
      family which, const std::function<std::optional<bool>(std::string_view key, std::string_view value)>& read) const;

  const store_settings settings_;
  const std::string log_id_;
  const std::optional<data_folder> folder_;  // absent: opened for reading
  time_source& clock_;
  expired_record_filter expired_;
  std::optional<order_id> newest_order_;

  std::atomic<std::uint64_t> persisted_{0};
  std::atomic<std::uint64_t> indexed_{0};
  std::atomic<timestamp> newest_{timestamp::min()};  // of the times of the appended entries
  std::atomic<bool> failed_{false};
  std::atomic<bool> failure_reported_{false};

  // Each is destroyed before those that it uses, which come before it.
  database database_;
  record_reader records_;
  log_table log_;
  snapshot_set snapshots_;

  // Only for the appending thread. The last three are kept for their memory.
  std::uint64_t clock_changes_ = 0;  // as of the last written state of the clock
  rocksdb::WriteBatch batch_;
  std::string key_;
  std::string value_;

  recent_index index_;  // last, because its thread uses the others
};

}  // namespace ordem::storage
