#include "storage/rocksdb/order_lists.hpp"

#include <algorithm>
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
  ORDEM_CHECK(!prefix.empty());
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

// What a list by a name finds its orders by: a list of the memtables, and the keys of the family customers.
struct list_kind {
  recent_lists memtable::* recent;
  void (*encode_prefix)(std::string&, std::string_view tenant, std::string_view name);
  void (*encode_key)(std::string&, std::string_view tenant, std::string_view name, order_id id);
  std::optional<order_id> (*decode_id)(std::string_view key);
};

constexpr list_kind by_customer{&memtable::customers, encode_customer_prefix, encode_customer_key,
                                [](std::string_view key) -> std::optional<order_id> {
                                  const auto found = decode_customer_key(key);
                                  return found ? std::optional(found->id) : std::nullopt;
                                }};
constexpr list_kind by_external_id{&memtable::external_ids, encode_external_id_prefix, encode_external_id_key,
                                   [](std::string_view key) -> std::optional<order_id> {
                                     const auto found = decode_external_id_key(key);
                                     return found ? std::optional(found->id) : std::nullopt;
                                   }};

// The orders of a tenant with a name. Merges the memtables and the table files. A newer memtable overrides an older
// one, and all of them override the files.
class named_list final : public order_list {
 public:
  named_list(const database& db, const record_reader& records, snapshot as_of, const list_kind& kind,
             std::string_view tenant, std::string_view name, std::optional<order_id> after)
      : db_(db),
        records_(records),
        as_of_(std::move(as_of)),
        kind_(kind),
        after_(after),
        stored_(db, family::customers, as_of_, encoded(kind.encode_prefix, tenant, name)) {
    const std::string prefix = encoded(kind.encode_prefix, tenant, name);
    const std::string begin = after ? encoded(kind.encode_key, tenant, name, *after) : prefix;
    stored_->Seek(begin);
    recent_.reserve(as_of_.memtables().size());
    for (const auto& each : as_of_.memtables()) {
      recent_.push_back(((*each).*kind.recent).seek(prefix, begin, as_of_.last()));
    }
  }

  read_result<shared_order> next() override {
    for (;;) {
      const auto key = next_key();
      if (!key) {
        if (!stored_->status().ok()) return db_.failed_read(family::customers, db_.text_of(stored_->status()));
        return shared_order{};
      }
      const auto id = kind_.decode_id(*key);
      if (!id) return db_.failed_read(family::customers, "a key is damaged");
      if (after_ == *id) continue;
      auto order = records_.find_order(*id, as_of_);
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
  const list_kind& kind_;
  const std::optional<order_id> after_;
  const prefix_iterator stored_;
  std::vector<recent_lists::cursor> recent_;  // newest memtable first
};

// All orders, newest first. Merges the ids in the table files and those that the memtables created.
class all_list final : public order_list {
 public:
  all_list(const database& db, const record_reader& records, snapshot as_of, std::optional<order_id> after)
      : db_(db), records_(records), as_of_(std::move(as_of)), after_(after) {
    rocksdb::ReadOptions options = as_of_.options();
    options.fill_cache = false;  // a long search would replace what other reads need
    stored_.reset(db->NewIterator(options, db.handle(family::orders)));
    if (after) {
      stored_->SeekForPrev(encoded(encode_order_key, *after));
    } else {
      stored_->SeekToLast();
    }
    const std::string begin = after ? encoded(encode_inverted_order_key, *after) : std::string();
    recent_.reserve(as_of_.memtables().size());
    for (const auto& each : as_of_.memtables()) recent_.push_back(each->created.seek({}, begin, as_of_.last()));
  }

  read_result<shared_order> next() override {
    for (;;) {
      if (!stored_->Valid() && !stored_->status().ok()) {
        return db_.failed_read(family::orders, db_.text_of(stored_->status()));
      }
      const auto stored = stored_->Valid() ? decode_order_key(stored_->key().ToStringView()) : std::nullopt;
      if (stored_->Valid() && !stored) return db_.failed_read(family::orders, "a key is damaged");
      const auto id = std::max(stored, newest_recent());
      if (!id) return shared_order{};
      auto order = id == after_ ? read_result<shared_order>(nullptr) : read(*id, stored == id);
      if (stored == id) stored_->Prev();
      skip_recent(*id);
      if (id != after_) return order;
    }
  }

 private:
  std::optional<order_id> newest_recent() const {
    std::optional<order_id> newest;
    for (const auto& each : recent_) {
      if (each.get() != nullptr) newest = std::max(newest, decode_inverted_order_key(each.get()->key()));
    }
    return newest;
  }
  void skip_recent(order_id id) {
    for (auto& each : recent_) {
      if (each.get() != nullptr && decode_inverted_order_key(each.get()->key()) == id) each.next();
    }
  }
  read_result<shared_order> read(order_id id, bool is_stored) const {
    const std::string key = encoded(encode_order_key, id);
    const recent_record* recent = as_of_.find_recent(&memtable::orders, key);
    if (recent == nullptr && !is_stored) {
      return db_.failed_read(family::orders, "a memtable lists an order that does not exist");
    }
    return records_.decode_order_record(family::orders, id,
                                        recent != nullptr ? recent->value() : stored_->value().ToStringView());
  }

  const database& db_;
  const record_reader& records_;
  const snapshot as_of_;
  const std::optional<order_id> after_;
  std::unique_ptr<rocksdb::Iterator> stored_;
  std::vector<recent_lists::cursor> recent_;
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
  return std::make_unique<named_list>(db, records, std::move(as_of), by_customer, tenant, customer_id, after);
}

std::unique_ptr<order_list> list_external_of(const database& db, const record_reader& records, snapshot as_of,
                                             std::string_view tenant, std::string_view external_id,
                                             std::optional<order_id> after) {
  return std::make_unique<named_list>(db, records, std::move(as_of), by_external_id, tenant, external_id, after);
}

std::unique_ptr<order_list> list_all_of(const database& db, const record_reader& records, snapshot as_of,
                                        std::optional<order_id> after) {
  return std::make_unique<all_list>(db, records, std::move(as_of), after);
}

std::unique_ptr<order_list> list_versions_of(const database& db, const record_reader& records, snapshot as_of,
                                             order_id id, std::optional<version> before) {
  return std::make_unique<version_list>(db, records, std::move(as_of), id, before);
}

}  // namespace ordem::storage
