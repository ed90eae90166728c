// Lists of orders, read one by one: those of a customer, and the versions of one order. Each keeps the view that it was
// made from, and reads no further than it is asked.

#include <array>
#include <utility>

#include "storage/records/keys.hpp"
#include "storage/rocksdb/rocks_store.hpp"

namespace ordem::storage {
namespace {

// The records of a family whose keys begin with a prefix.
class prefix_iterator {
 public:
  prefix_iterator(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, const snapshot& view, std::string prefix)
      : end_(end_of_prefix(std::move(prefix))), end_slice_(end_) {
    rocksdb::ReadOptions options = view.options();
    options.iterate_upper_bound = &end_slice_;
    at_.reset(db.NewIterator(options, family));
  }
  prefix_iterator(const prefix_iterator&) = delete;
  prefix_iterator& operator=(const prefix_iterator&) = delete;

  rocksdb::Iterator* operator->() const noexcept { return at_.get(); }

 private:
  const std::string end_;
  const rocksdb::Slice end_slice_;  // RocksDB keeps pointing at it
  std::unique_ptr<rocksdb::Iterator> at_;
};

}  // namespace

// --- the orders of a customer ---

// Merges the generations in memory, of which a newer one overrules an older one, and the table files, which all of them
// overrule.
class rocks_store::customer_list final : public order_list {
 public:
  customer_list(const rocks_store& store, std::string_view customer_id, std::optional<order_id> after)
      : store_(store),
        view_(store.shown()),
        after_(after),
        stored_(*store.db_, store.handle(family::customers), *view_, encoded(encode_customer_prefix, customer_id)) {
    const std::string prefix = encoded(encode_customer_prefix, customer_id);
    const std::string begin = after ? encoded(encode_customer_key, customer_id, *after) : prefix;
    stored_->Seek(begin);
    recent_.reserve(view_->recent().size());
    for (const auto& each : view_->recent()) {
      recent_.push_back(each->customers.seek(prefix, begin, view_->last()));
    }
  }

  read_result<shared_order> next() override {
    for (;;) {
      const auto key = next_key();
      if (!key) {
        if (!stored_->status().ok()) return store_.failed_read(family::customers, store_.text_of(stored_->status()));
        return shared_order{};
      }
      const auto id = decode_customer_key(*key);
      if (!id) return store_.failed_read(family::customers, "a key is damaged");
      if (after_ == id) continue;
      auto order = store_.find_order(*id, *view_);
      if (order && *order == nullptr) {
        return store_.failed_read(family::customers, "it names an order that is not there");
      }
      return order;
    }
  }

 private:
  // The next key that the newest of its records does not remove; nothing after the last.
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
      if (order >= 0) pass(newest->key());
      if (key) return key;
    }
  }

  void pass(std::string_view key) {
    for (auto& each : recent_) {
      if (each.get() != nullptr && each.get()->key() == key) each.next();
    }
  }

  const rocks_store& store_;
  const shared_view view_;
  const std::optional<order_id> after_;
  const prefix_iterator stored_;
  std::vector<recent_lists::cursor> recent_;  // newest generation first
};

std::unique_ptr<order_list> rocks_store::list_orders(std::string_view customer_id,
                                                     std::optional<order_id> after) const {
  return std::make_unique<customer_list>(*this, customer_id, after);
}

// --- the versions of an order ---

class rocks_store::version_list final : public order_list {
 public:
  version_list(const rocks_store& store, order_id id, std::optional<version> before)
      : store_(store),
        view_(store.shown()),
        id_(id),
        before_(before),
        superseded_(*store.db_, store.handle(family::versions), *view_, encoded(encode_order_key, id)) {}

  read_result<shared_order> next() override {
    if (!begun_) {
      begun_ = true;
      auto current = store_.find_order(id_, *view_);
      if (!current || *current == nullptr) return current;
      const version newest = (*current)->version;
      seek_below(before_ && *before_ <= newest ? *before_ : newest);
      if (!before_ || *before_ > newest) return current;
    }
    if (!superseded_->Valid()) {
      if (!superseded_->status().ok())
        return store_.failed_read(family::versions, store_.text_of(superseded_->status()));
      return shared_order{};
    }
    auto found = store_.decode_found(family::versions, superseded_->value().ToStringView(), id_);
    superseded_->Next();
    return found;
  }

 private:
  // Newest first: the versions below one begin at the one before it.
  void seek_below(version one) {
    if (one > version{1}) superseded_->Seek(encoded(encode_version_key, id_, version{one.number - 1}));
  }

  const rocks_store& store_;
  const shared_view view_;
  const order_id id_;
  const std::optional<version> before_;
  const prefix_iterator superseded_;
  bool begun_ = false;
};

std::unique_ptr<order_list> rocks_store::list_versions(order_id id, std::optional<version> before) const {
  return std::make_unique<version_list>(*this, id, before);
}

}  // namespace ordem::storage
