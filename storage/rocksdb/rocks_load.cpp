#include <algorithm>
#include <utility>

#include "engine/base/check.hpp"
#include "storage/log/store_loader.hpp"
#include "storage/records/capture_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/log_group.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"
#include "storage/rocksdb/rocks_store.hpp"

namespace ordem::storage {
namespace {

// Records a write; larger ones are no quicker.
constexpr std::uint32_t batch_records_max = 4096;

}  // namespace

// The records are written without the write-ahead log: a load that is cut off is begun anew, on another folder.
class rocks_loader final : public store_loader {
 public:
  explicit rocks_loader(std::unique_ptr<rocks_store> store) : store_(std::move(store)) {
    without_log_.disableWAL = true;
  }

  void put_order(const order& current) override {
    newest_ = std::max(newest_, current.updated_at);
    put(family::orders, encoded(encode_order_key, current.id), encoded(encode_order, current));
    put(family::customers, encoded(encode_customer_key, current.content.customer_id, current.id), {});
  }
  void put_version(const order& what) override {
    if (!std::exchange(has_all_orders_, true)) write();
    if (is_present(what)) return;
    put(family::versions, encoded(encode_version_key, what.id, what.version), encoded(encode_order, what));
  }
  void put_message(const guid& id, const message_record& record) override {
    newest_ = std::max(newest_, record.created_at);
    put(family::messages, encoded(encode_message_key, id), encoded(encode_message, record));
  }

  void put_capture(const capture_key& key, const capture& what) override {
    newest_ = std::max(newest_, what.allocated_at);
    put(family::captures, encoded(encode_capture_key, key), encoded(encode_capture, what));
  }

  // A group of no entries tells where the log goes on. What has expired by now was left behind, so the clock goes on
  // from now, not from the newest record.
  result<void> finish(position last) override {
    put(family::log, encoded(encode_log_key, position{last.number + 1}),
        encoded(encode_log_group, std::uint64_t{0}, std::span<const entry>{}));
    write();
    store_->clock_.resume(std::max(newest_, store_->clock_.now()), std::nullopt);
    store_->put_clock(store_->clock_.state());
    if (status_.ok()) status_ = store_->db_->Write(without_log_, &store_->batch_);
    if (status_.ok()) status_ = store_->put_indexed(last);
    if (status_.ok()) status_ = store_->db_->Flush({}, store_->families_);
    if (!status_.ok()) return tl::make_unexpected(store_->cannot_open(status_));
    return store_->folder_->write_format();
  }

 private:
  void put(family which, std::string_view key, std::string_view value) {
    const auto put = batch_.Put(store_->handle(which), key, value);
    CHECK(put.ok());
    if (batch_.Count() >= static_cast<int>(batch_records_max) || batch_.GetDataSize() >= group_bytes_max) write();
  }
  bool is_present(const order& what) {
    rocksdb::PinnableSlice value;
    const auto status =
        store_->db_->Get({}, store_->handle(family::orders), encoded(encode_order_key, what.id), &value);
    if (!status.ok() && !status.IsNotFound() && status_.ok()) status_ = status;
    const auto present = status.ok() ? decode_order(what.id, value.ToStringView()) : std::nullopt;
    return present && present->version == what.version;
  }
  void write() {
    if (status_.ok()) status_ = store_->db_->Write(without_log_, &batch_);
    batch_.Clear();
  }

  std::unique_ptr<rocks_store> store_;
  rocksdb::WriteOptions without_log_;
  rocksdb::WriteBatch batch_;
  rocksdb::Status status_;
  timestamp newest_;
  bool has_all_orders_ = false;
};

result<std::unique_ptr<store_loader>> load_new_store(store_settings settings, std::string log_id, time_source& clock) {
  auto folder = data_folder::make(settings.folder, log_id);
  if (!folder) return tl::make_unexpected(folder.error());
  auto store = std::make_unique<rocks_store>(std::move(settings), clock, std::move(log_id), std::move(*folder));
  if (auto failure = store->open_database()) return tl::make_unexpected(std::move(*failure));
  return std::make_unique<rocks_loader>(std::move(store));
}

}  // namespace ordem::storage
