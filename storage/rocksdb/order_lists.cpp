#include "storage/rocksdb/order_lists.hpp"

#include <string>
#include <utility>
#include <vector>

#include "engine/base/check.hpp"
#include "storage/records/keys.hpp"
#include "storage/rocksdb/recent_lists.hpp"

namespace ordem::storage {
namespace {

// Returns the smallest key that is greater than every key with this prefix.
std::string end_of_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  CHECK(!prefix.empty());
  ++prefix.back();
  return prefix;
}

// The records of a family whose keys begin with a prefix.
class prefix_iterator {
 public:
  prefix_iterator(const database& db, family where, const snapshot& as_of, std::string prefix)
      : end_(end_of_prefix(std::move(prefix))), end_slice_(end_) {
    rocksdb::ReadOptions options = as_of.options();
    options.iterate_upper_bound = &end_slice_;
    at_.reset(db->NewIterator(options, db.handle(where)));
  }
  prefix_iterator(const prefix_iterator&) = delete;
  prefix_iterator& operator=(const prefix_iterator&) = delete;

  rocksdb::Iterator* operator->() const noexcept { return at_.get(); }

 private:
  const std::string end_;
  const rocksdb::Slice end_slice_;  // RocksDB keeps a pointer to it
  std::unique_ptr<rocksdb::Iterator> at_;
};

// Merges the memtables and the table files. A newer memtable overrides an older one, and all of them override the
// files.
class customer_list final : public order_list {
 public:
  customer_list(const database& db, const record_reader& records, snapshot as_of, std::string_view tenant,
                std::string_view customer_id, std::optional<order_id> after)
      : db_(db),
        records_(records),
        as_of_(std::move(as_of)),
        after_(after),
        stored_(db, family::customers, as_of_, encoded(encode_customer_prefix, tenant, customer_id)) {
    const std::string prefix = encoded(encode_customer_prefix, tenant, customer_id);
    const std::string begin = after ? encoded(encode_customer_key, tenant, customer_id, *after) : prefix;
    stored_->Seek(begin);
    recent_.reserve(as_of_.memtables().size());
    for (const auto& each : as_of_.memtables()) {
      recent_.push_back(each->customers.seek(prefix, begin, as_of_.last()));
    }
  }

  read_result<shared_order> next() override {
    for (;;) {
      const auto key = next_key();
      if (!key) {
        if (!stored_->status().ok()) return db_.failed_read(family::customers, db_.text_of(stored_->status()));
        return shared_order{};
      }
      const auto listed = decode_customer_key(*key);
      if (!listed) return db_.failed_read(family::customers, "a key is damaged");
      if (after_ == listed->id) continue;
      auto order = records_.find_order(listed->id, as_of_);
      if (order && *order == nullptr) {
        return db_.failed_read(family::customers, "a key names an order that does not exist");
      }
      return order;
    }
  }

 private:
  // Returns the next key whose newest record does not remove it, or nullopt after the last key.
  std::optional<std::string> next_key() {
    for (;;) {
      const listed_key* newest = nullptr;
      for (const auto& each : recent_) {
        const listed_key* record = each.get();
        if (record != nullptr && (newest == nullptr || record->key() < newest->key())) newest = record;
      }
      if (!stored_->Valid() && newest == nullptr) return std::nullopt;
      if (!stored_->Valid() && !stored_->status().ok()) return std::nullopt;
      const int order = !stored_->Valid()   ? 1
                        : newest == nullptr ? -1
                                            : stored_->key().ToStringView().compare(newest->key());
      std::optional<std::string> key;
      if (order < 0) key = stored_->key().ToString();
      if (order >= 0 && !newest->removed) key = newest->key();
      if (order <= 0) stored_->Next();
      if (order >= 0) skip(newest->key());
      if (key) return key;
    }
  }

  void skip(std::string_view key) {
    for (auto& each : recent_) {
      if (each.get() != nullptr && each.get()->key() == key) each.next();
    }
  }

  const database& db_;
  const record_reader& records_;
  const snapshot as_of_;
  const std::optional<order_id> after_;
  const prefix_iterator stored_;
  std::vector<recent_lists::cursor> recent_;  // newest memtable first
};

class version_list final : public order_list {
 public:
  version_list(const database& db, const record_reader& records, snapshot as_of, order_id id,
               std::optional<version> before)
      : db_(db),
        records_(records),
        as_of_(std::move(as_of)),
        id_(id),
        before_(before),
        superseded_(db, family::versions, as_of_, encoded(encode_order_key, id)) {}

  read_result<shared_order> next() override {
    if (!begun_) {
      begun_ = true;
      auto current = records_.find_order(id_, as_of_);
      if (!current || *current == nullptr) return current;
      const version newest = (*current)->version;
      next_ = before_ && *before_ <= newest ? *before_ : newest;
      if (!before_ || *before_ > newest) return current;
    }
    if (next_ <= version{1}) return shared_order{};
    --next_.number;
    if (!in_files_) {
      const recent_record* recent = as_of_.find_recent(&memtable::versions, encoded(encode_version_key, id_, next_));
      if (recent != nullptr) return records_.decode_order_record(family::versions, id_, recent->value());
      // The memtables hold the versions that were superseded last, so all that come before are in files.
      in_files_ = true;
      superseded_->Seek(encoded(encode_version_key, id_, next_));
    }
    if (!superseded_->Valid()) {
      if (!superseded_->status().ok()) {
        return db_.failed_read(family::versions, db_.text_of(superseded_->status()));
      }
      return shared_order{};
    }
    auto found = records_.decode_order_record(family::versions, id_, superseded_->value().ToStringView());
    superseded_->Next();
    return found;
  }

 private:
  const database& db_;
  const record_reader& records_;
  const snapshot as_of_;
  const order_id id_;
  const std::optional<version> before_;
  const prefix_iterator superseded_;
  version next_;  // the one above the next
  bool begun_ = false;
  bool in_files_ = false;  // whether the next one is read by the iterator
};

}  // namespace

std::unique_ptr<order_list> list_orders_of(const database& db, const record_reader& records, snapshot as_of,
                                           std::string_view tenant, std::string_view customer_id,
                                           std::optional<order_id> after) {
  return std::make_unique<customer_list>(db, records, std::move(as_of), tenant, customer_id, after);
}

std::unique_ptr<order_list> list_versions_of(const database& db, const record_reader& records, snapshot as_of,
                                             order_id id, std::optional<version> before) {
  return std::make_unique<version_list>(db, records, std::move(as_of), id, before);
}

}  // namespace ordem::storage
