#include "storage/rocksdb/record_reader.hpp"

#include <string>
#include <utility>

#include "storage/records/capture_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"

namespace ordem::storage {
namespace {

// As encode_order_key() writes it, without a copy.
std::string_view key_of(const order_id& id) noexcept {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

}  // namespace

// --- orders ---

read_result<shared_order> record_reader::decode_order_record(family where, order_id id, std::string_view record) const {
  auto found = decode_order(id, record);
  if (!found) return db_.failed_read(where, "the record of order " + id.to_string() + " is damaged");
  return std::make_shared<const order>(std::move(*found));
}

read_result<shared_order> record_reader::read_order(family where, std::string_view key, order_id id,
                                                    const snapshot& from) const {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get(from.options(), db_.handle(where), key, &value);
  if (status.IsNotFound()) return shared_order{};
  if (!status.ok()) return db_.failed_read(where, db_.text_of(status));
  return decode_order_record(where, id, value.ToStringView());
}

read_result<shared_order> record_reader::find_order(order_id id, const snapshot& from) const {
  const recent_record* recent = from.find_recent(&memtable::orders, key_of(id));
  if (recent != nullptr) return decode_order_record(family::orders, id, recent->value());
  return read_order(family::orders, key_of(id), id, from);
}

// The caller goes on with find_order() after nullopt, which reports a failure.
std::optional<shared_order> record_reader::find_cached_order(order_id id, const snapshot& from) const {
  const recent_record* recent = from.find_recent(&memtable::orders, key_of(id));
  rocksdb::PinnableSlice stored;
  if (recent == nullptr) {
    rocksdb::ReadOptions options = from.options();
    options.read_tier = rocksdb::kBlockCacheTier;
    const auto status = db_->Get(options, db_.handle(family::orders), key_of(id), &stored);
    if (status.IsNotFound()) return shared_order{};
    if (!status.ok()) return std::nullopt;  // usually Incomplete: the block is not in the cache
  }
  auto found = decode_order(id, recent != nullptr ? recent->value() : stored.ToStringView());
  if (!found) return std::nullopt;
  return std::make_shared<const order>(std::move(*found));
}

read_result<shared_order> record_reader::find_version(order_id id, version which, const snapshot& from) const {
  auto current = find_order(id, from);
  if (!current || *current == nullptr || (*current)->version == which) return current;
  if (which > (*current)->version) return shared_order{};
  const std::string key = encoded(encode_version_key, id, which);
  const recent_record* recent = from.find_recent(&memtable::versions, key);
  if (recent != nullptr) return decode_order_record(family::versions, id, recent->value());
  return read_order(family::versions, key, id, from);
}

// --- messages and captures ---

read_result<std::optional<message_record>> record_reader::find_message(std::string_view tenant, const guid& id,
                                                                       const clock_reading& now,
                                                                       const snapshot& from) const {
  thread_local std::string key;
  key.clear();
  encode_message_key(key, tenant, id);
  const recent_record* recent = from.find_recent(&memtable::messages, key);
  rocksdb::PinnableSlice stored;
  if (recent == nullptr) {
    const auto status = db_->Get(from.options(), db_.handle(family::messages), key, &stored);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return db_.failed_read(family::messages, db_.text_of(status));
  }
  auto found = decode_message(recent != nullptr ? recent->value() : stored.ToStringView());
  if (!found) {
    return db_.failed_read(family::messages, "the record of message " + std::string(id.view()) + " is damaged");
  }
  if (now.has_ended(found->expires_at, found->created_at)) return std::nullopt;
  return found;
}

read_result<shared_capture> record_reader::find_capture(std::string_view tenant, const capture_key& key,
                                                        const clock_reading& now, const snapshot& from) const {
  const std::string name = encoded(encode_capture_key, tenant, key);
  const recent_record* recent = from.find_recent(&memtable::captures, name);
  if (recent != nullptr && recent->removed) return shared_capture{};
  rocksdb::PinnableSlice stored;
  if (recent == nullptr) {
    const auto status = db_->Get(from.options(), db_.handle(family::captures), name, &stored);
    if (status.IsNotFound()) return shared_capture{};
    if (!status.ok()) return db_.failed_read(family::captures, db_.text_of(status));
  }
  auto found = decode_capture(recent != nullptr ? recent->value() : stored.ToStringView());
  if (!found) {
    return db_.failed_read(family::captures, "the record of " + std::string(key.view()) + " is damaged");
  }
  if (!found->is_kept_at(now)) return shared_capture{};
  return std::make_shared<const capture>(std::move(*found));
}

}  // namespace ordem::storage
