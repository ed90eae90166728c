// The view on RocksDB: puts together the database, the memtables and the snapshots. Only for storage/rocksdb/*.cpp:
// others see storage/log/view.hpp, which says what each function does and which thread may call it, and
// storage/rocksdb/open_view.hpp.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/model/tenant_key.hpp"
#include "storage/rocksdb/column_families.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/memtable_set.hpp"
#include "storage/rocksdb/open_view.hpp"
#include "storage/rocksdb/order_lists.hpp"
#include "storage/rocksdb/record_reader.hpp"
#include "storage/rocksdb/snapshot.hpp"

namespace ordem::storage {

class rocks_view final : public file_view {
 public:
  rocks_view(view_settings settings, time_source& clock);

  // Opens the database. Called once, before every other function. After a failure the view can only be destroyed.
  result<void> open();

  result<std::optional<clock_state>> kept_clock() const override { return database_.read_clock(); }
  result<void> check(const log& from) const override;
  result<void> catch_up(const log& from) override;
  result<void> with_files(const file_user& use) const override;
  result<void> flush() override { return memtables_.flush_remaining(visible()); }

  result<void> apply(std::span<const entry> entries, position first) override;
  bool has_failed() const noexcept override { return memtables_.has_failed(); }
  result<void> recover() override { return memtables_.retry(); }
  std::optional<order_id> newest_order() const noexcept override { return newest_order_; }
  view_stats stats() const override;

  position visible() const noexcept override { return visible_.last(); }
  read_result<shared_order> find_order(order_id id) const override { return records_.find_order(id, visible_.get()); }
  std::optional<shared_order> find_cached_order(order_id id) const override {
    return records_.find_cached_order(id, visible_.get());
  }
  read_result<shared_order> find_version(order_id id, version which) const override {
    return records_.find_version(id, which, visible_.get());
  }
  std::unique_ptr<order_list> list_versions(order_id id, std::optional<version> before) const override {
    return list_versions_of(database_, records_, visible_.get(), id, before);
  }
  std::unique_ptr<order_list> list_orders(std::string_view tenant, std::string_view customer_id,
                                          std::optional<order_id> after) const override {
    return list_orders_of(database_, records_, visible_.get(), tenant, customer_id, after);
  }
  std::unique_ptr<order_list> list_external(std::string_view tenant, std::string_view external_id,
                                            std::optional<order_id> after) const override {
    return list_external_of(database_, records_, visible_.get(), tenant, external_id, after);
  }
  std::unique_ptr<order_list> list_all(std::optional<order_id> after) const override {
    return list_all_of(database_, records_, visible_.get(), after);
  }
  read_result<std::optional<message_record>> find_message(std::string_view tenant, const guid& id,
                                                          const clock_reading& now) const override {
    return records_.find_message(tenant, id, now, visible_.get());
  }
  read_result<shared_capture> find_capture(std::string_view tenant, const capture_key& key,
                                           const clock_reading& now) const override {
    return records_.find_capture(tenant, key, now, visible_.get());
  }

  read_result<void> scan_orders(const std::function<bool(const shared_order&)>& visit) const override;
  read_result<void> scan_messages(const clock_reading& now,
                                  const std::function<bool(const guid&, const message_record&)>& visit) const override;
  read_result<void> scan_captures(
      const clock_reading& now,
      const std::function<bool(const capture_key&, const shared_capture&)>& visit) const override;

 private:
  result<void> apply(const message_entry& what, position at);
  result<void> write_files(const memtable& what);
  read_result<shared_order> version_before(const order& after, position at) const;
  std::string difference_in(const message_entry& logged, const snapshot& as_of) const;
  bool is_as_logged(const tenant_capture_key& key, const shared_capture& after, const snapshot& as_of) const;
  template <class Visit>
  read_result<void> scan(family which, recent_records memtable::* table, Visit read) const;

  const view_settings settings_;
  const time_source& clock_;
  expired_record_filter expired_;
  std::optional<order_id> newest_order_;

  // Each is destroyed before those that it uses, which come before it.
  database database_;
  record_reader records_;
  visible_snapshot visible_;
  memtable_set memtables_;  // last, because its thread uses the others
};

}  // namespace ordem::storage
