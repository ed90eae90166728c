// Fills the files of a new view.

#include <algorithm>
#include <utility>

#include "engine/base/check.hpp"
#include "storage/log/store_loader.hpp"
#include "storage/records/capture_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/open_view.hpp"

namespace ordem::storage {
namespace {

// Records in one write. Larger writes are not faster.
constexpr std::uint32_t batch_records_max = 4096;

// Writes without the write-ahead log, because a load that is cut off is repeated in another folder.
class view_loader final : public store_loader {
 public:
  view_loader(view_settings settings, time_source& clock)
      : settings_(std::move(settings)), clock_(clock), expired_(clock), database_(settings_) {
    without_log_.disableWAL = true;
  }

  result<void> open() { return database_.open(view_access::write, expired_); }

  void put_order(const order& current) override {
    newest_ = std::max(newest_, current.updated_at);
    put(family::orders, encoded(encode_order_key, current.id), encoded(encode_order, current));
    put(family::customers, encoded(encode_customer_key, current.origin.tenant, current.content.customer_id, current.id),
        {});
    if (current.content.external_id) {
      put(family::customers,
          encoded(encode_external_id_key, current.origin.tenant, *current.content.external_id, current.id), {});
    }
  }
  void put_version(const order& what) override {
    if (!std::exchange(has_all_orders_, true)) write();
    if (is_current(what)) return;
    put(family::versions, encoded(encode_version_key, what.id, what.version), encoded(encode_order, what));
  }
  void put_message(const guid& id, const message_record& record) override {
    newest_ = std::max(newest_, record.created_at);
    put(family::messages, encoded(encode_message_key, record.origin.tenant, id), encoded(encode_message, record));
  }
  void put_capture(const capture_key& key, const capture& what) override {
    newest_ = std::max(newest_, what.allocated_at);
    put(family::captures, encoded(encode_capture_key, what.origin.tenant, key), encoded(encode_capture, what));
  }

  // Records that have expired by now were not loaded, so the clock continues from now, not from the newest record.
  result<void> finish(position last) override {
    clock_.resume(std::max(newest_, clock_.now()), std::nullopt);
    database_.put_clock(batch_, clock_.state());
    database_.put_written(batch_, last);
    write();
    if (status_.ok()) status_ = database_.flush();
    if (!status_.ok()) return tl::make_unexpected(database_.open_error(status_));
    return {};
  }

 private:
  void put(family which, std::string_view key, std::string_view value) {
    const auto put = batch_.Put(database_.handle(which), key, value);
    ORDEM_CHECK(put.ok());
    if (batch_.Count() >= static_cast<int>(batch_records_max) || batch_.GetDataSize() >= group_bytes_max) write();
  }
  bool is_current(const order& what) {
    rocksdb::PinnableSlice value;
    const auto status =
        database_->Get({}, database_.handle(family::orders), encoded(encode_order_key, what.id), &value);
    if (!status.ok() && !status.IsNotFound() && status_.ok()) status_ = status;
    const auto current = status.ok() ? decode_order(what.id, value.ToStringView()) : std::nullopt;
    return current && current->version == what.version;
  }
  void write() {
    if (status_.ok()) status_ = database_->Write(without_log_, &batch_);
    batch_.Clear();
  }

  const view_settings settings_;
  time_source& clock_;
  expired_record_filter expired_;
  database database_;
  rocksdb::WriteOptions without_log_;
  rocksdb::WriteBatch batch_;
  rocksdb::Status status_;
  timestamp newest_;
  bool has_all_orders_ = false;
};

}  // namespace

result<std::unique_ptr<store_loader>> load_view(view_settings settings, time_source& clock) {
  auto loader = std::make_unique<view_loader>(std::move(settings), clock);
  if (auto opened = loader->open(); !opened) return tl::make_unexpected(std::move(opened.error()));
  return loader;
}

}  // namespace ordem::storage
