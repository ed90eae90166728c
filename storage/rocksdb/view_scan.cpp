// Scans of all orders, messages and captures.

#include <span>
#include <utility>

#include "storage/records/capture_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"
#include "storage/rocksdb/rocks_view.hpp"

namespace ordem::storage {
namespace {

// Returns the newest record of each key in one of the tables of the memtables, in byte order of keys.
std::vector<const recent_record*> recent_of(const snapshot& as_of, recent_records memtable::* table) {
  std::vector<const recent_record*> all;
  for (const auto& each : as_of.memtables()) {
    const auto some = ((*each).*table).sorted(as_of.last());
    all.insert(all.end(), some.begin(), some.end());
  }
  sort_and_keep_newest(all);
  return all;
}

// Visits the records of table files and memtables together, in byte order of keys, until `visit` returns false. A
// record of a memtable overrides that of a file.
template <class Visit>
void visit_both(rocksdb::Iterator& stored, std::span<const recent_record* const> recent, Visit visit) {
  while (stored.Valid() || !recent.empty()) {
    int order = stored.Valid() ? 1 : -1;
    if (stored.Valid() && !recent.empty()) order = recent.front()->key().compare(stored.key().ToStringView());
    if (order > 0) {
      if (!visit(stored.key().ToStringView(), stored.value().ToStringView())) return;
    } else if (!recent.front()->removed && !visit(recent.front()->key(), recent.front()->value())) {
      return;
    }
    if (order >= 0) stored.Next();
    if (order <= 0) recent = recent.subspan(1);
  }
}

}  // namespace

// Reads from the first record of a family to the last. `read` returns whether to continue, or nullopt if the record is
// damaged.
template <class Visit>
read_result<void> rocks_view::scan(family which, recent_records memtable::* table, Visit read) const {
  const snapshot as_of = visible_.get();
  const auto recent = recent_of(as_of, table);
  const std::unique_ptr<rocksdb::Iterator> stored(database_->NewIterator(as_of.options(), database_.handle(which)));
  stored->SeekToFirst();
  bool is_damaged = false;
  visit_both(*stored, recent, [&](std::string_view key, std::string_view value) {
    const std::optional<bool> goes_on = read(key, value);
    is_damaged = !goes_on;
    return goes_on.value_or(false);
  });
  if (is_damaged) return database_.failed_read(which, "a record is damaged");
  if (!stored->status().ok()) return database_.failed_read(which, database_.text_of(stored->status()));
  return {};
}

read_result<void> rocks_view::scan_orders(const std::function<bool(const shared_order&)>& visit) const {
  return scan(family::orders, &memtable::orders,
              [&](std::string_view key, std::string_view value) -> std::optional<bool> {
                const auto id = decode_order_key(key);
                auto found = id ? decode_order(*id, value) : std::nullopt;
                if (!found) return std::nullopt;
                return visit(std::make_shared<const order>(std::move(*found)));
              });
}

read_result<void> rocks_view::scan_captures(
    const clock_reading& now, const std::function<bool(const capture_key&, const shared_capture&)>& visit) const {
  return scan(family::captures, &memtable::captures,
              [&](std::string_view key, std::string_view value) -> std::optional<bool> {
                const auto of = decode_capture_key(key);
                auto found = decode_capture(value);
                if (!of || !found || found->origin.tenant != of->tenant) return std::nullopt;
                return !found->is_kept_at(now) || visit(of->name, std::make_shared<const capture>(std::move(*found)));
              });
}

read_result<void> rocks_view::scan_messages(
    const clock_reading& now, const std::function<bool(const guid&, const message_record&)>& visit) const {
  return scan(family::messages, &memtable::messages,
              [&](std::string_view key, std::string_view value) -> std::optional<bool> {
                const auto of = decode_message_key(key);
                const auto found = decode_message(value);
                if (!of || !found || found->origin.tenant != of->tenant) return std::nullopt;
                return now.has_ended(found->expires_at, found->created_at) || visit(of->name, *found);
              });
}

}  // namespace ordem::storage
