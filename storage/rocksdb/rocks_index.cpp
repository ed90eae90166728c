// The store's indexes: messages by GUID, orders by customer. What is recent stands in memory
// (storage/rocksdb/recent_index.hpp), the rest in table files that are written here. The database's default family has
// the position that the files have reached; it changes in the same step in which they are taken in.

#include <rocksdb/sst_file_writer.h>

#include <utility>

#include "storage/records/keys.hpp"
#include "storage/records/message_record.hpp"
#include "storage/rocksdb/rocks_store.hpp"

namespace ordem::storage {
namespace {

// A file of records in ascending order of keys, made for one family.
class table_file {
 public:
  table_file(const rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, std::string path)
      : family_(family),
        path_(std::move(path)),
        writer_(rocksdb::EnvOptions(db.GetDBOptions()), plain(db.GetOptions(family)), family) {
    status_ = writer_.Open(path_);
  }

  void put(std::string_view key, std::string_view value) {
    if (status_.ok()) status_ = writer_.Put(key, value);
  }
  template <class Record>
  void put(const std::vector<const Record*>& records) {
    for (const Record* each : records) {
      if (!status_.ok()) return;
      status_ = each->removed ? writer_.Delete(each->key()) : writer_.Put(each->key(), each->value());
    }
  }
  rocksdb::Status finish() {
    if (status_.ok()) status_ = writer_.Finish();
    return status_;
  }
  rocksdb::IngestExternalFileArg to_ingest() const {
    rocksdb::IngestExternalFileArg what;
    what.column_family = family_;
    what.external_files = {path_};
    what.options.move_files = true;
    what.options.write_global_seqno = false;
    return what;
  }

 private:
  // It is soon merged with others, which is when it is compressed.
  static rocksdb::Options plain(rocksdb::Options options) {
    options.compression_per_level.clear();
    options.compression = rocksdb::kNoCompression;
    return options;
  }

  rocksdb::ColumnFamilyHandle* family_;
  std::string path_;
  rocksdb::SstFileWriter writer_;
  rocksdb::Status status_;
};

// Of each message the newest record of all generations, in byte order of keys.
std::vector<const recent_record*> recent_messages(const snapshot& view) {
  std::vector<const recent_record*> all;
  for (const auto& each : view.recent()) {
    const auto some = each->messages.sorted(view.last());
    all.insert(all.end(), some.begin(), some.end());
  }
  sort_and_keep_newest(all);
  return all;
}

// Visits what the files and the memory have together, in byte order of keys, until `visit` says no. What is in memory
// is newer.
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

// --- writing ---

rocksdb::Status rocks_store::put_indexed(position through) {
  return db_->Put({}, families_.back(), indexed_key, encoded(encode_log_key, through));
}

// On the index's thread. Until the database has taken in all files, in one step, readers find their records in memory.
bool rocks_store::write_index(const memtable& what) {
  rocksdb::Status status;
  std::vector<rocksdb::IngestExternalFileArg> files;
  const auto write = [&](rocksdb::ColumnFamilyHandle* to, const char* name, const auto& fill) {
    if (!status.ok()) return;
    table_file file(*db_, to, incoming_folder_->lasting_path() / name);
    fill(file);
    status = file.finish();
    files.push_back(file.to_ingest());
  };
  const auto write_records = [&](family to, const auto& records) {
    const auto sorted = records.sorted(what.last);
    if (sorted.empty()) return;
    write(handle(to), family_names[static_cast<std::size_t>(to)], [&](table_file& file) { file.put(sorted); });
  };
  write_records(family::messages, what.messages);
  write_records(family::customers, what.customers);
  write(families_.back(), "indexed",
        [&](table_file& file) { file.put(indexed_key, encoded(encode_log_key, what.last)); });
  // The indexes must not survive a log that does not.
  if (status.ok() && settings_.durability == durability::os) {
    const timestamp newest = newest_.load(std::memory_order_acquire);
    status = db_->SyncWAL();
    if (status.ok()) expired_.confirm_durable(newest);
  }
  if (status.ok()) status = db_->IngestExternalFiles(files);
  if (!status.ok()) {
    report_failure("of the indexes: " + text_of(status));
    return false;
  }
  indexed_ = what.last.number;
  trim_log();
  return true;
}

// --- at the start ---

// Makes from the log again what the table files do not have yet.
std::optional<error> rocks_store::recover_memtables() {
  rocksdb::PinnableSlice value;
  const auto status = db_->Get({}, families_.back(), indexed_key, &value);
  if (!status.ok() && !status.IsNotFound()) return cannot_open(status);
  if (status.ok()) {
    const auto indexed = decode_log_key(value.ToStringView());
    if (!indexed || *indexed > last()) {
      return cannot_open(rocksdb::Status::Corruption("the indexes are ahead of the log"));
    }
    indexed_ = indexed->number;
  }

  const auto view = synced();
  for (position from{indexed_ + 1}; from <= last();) {
    auto logged = read_log(from, group_entries_max);
    if (!logged) return cannot_open(rocksdb::Status::Corruption("the log does not reach back to the indexes"));
    std::vector<entry> entries;
    entries.reserve(logged->size());
    for (logged_entry& each : *logged) {
      auto* message = std::get_if<message_entry>(&each.what);
      if (message != nullptr && message->after != nullptr && message->after->version != version{1}) {
        auto found = find_version(message->after->id, {message->after->version.number - 1}, *view);
        if (!found || *found == nullptr) {
          return cannot_open(rocksdb::Status::Corruption("a version of an order that the log names can't be read"));
        }
        message->before = std::move(*found);
      }
      entries.push_back(std::move(each.what));
    }
    index_.add(entries, from);
    from = {from.number + entries.size()};
  }
  index_.confirm_durable(last());
  written_ = synced_ = shown_ = make_view(last());
  if (folder_) index_.start();
  return std::nullopt;
}

// --- reads ---

read_result<std::optional<message_record>> rocks_store::find_message(const guid& id, const clock_reading& now) const {
  thread_local std::string key;
  key.clear();
  encode_message_key(key, id);
  const auto view = shown();
  const recent_record* recent = view->find_recent(&memtable::messages, key);
  rocksdb::PinnableSlice stored;
  if (recent == nullptr) {
    const auto status = db_->Get(view->options(), handle(family::messages), key, &stored);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return failed_read(family::messages, text_of(status));
  }
  auto found = decode_message(recent != nullptr ? recent->value() : stored.ToStringView());
  if (!found) return failed_read(family::messages, "the record of message " + std::string(id.view()) + " is damaged");
  if (now.has_ended(found->expires_at, found->created_at)) return std::nullopt;
  return found;
}

read_result<void> rocks_store::scan_messages(
    const clock_reading& now, const std::function<bool(const guid&, const message_record&)>& visit) const {
  const auto view = shown();
  const auto recent = recent_messages(*view);
  const std::unique_ptr<rocksdb::Iterator> stored(db_->NewIterator(view->options(), handle(family::messages)));
  stored->SeekToFirst();
  bool is_damaged = false;
  visit_both(*stored, recent, [&](std::string_view key, std::string_view value) {
    const auto id = decode_message_key(key);
    const auto found = decode_message(value);
    is_damaged = !id || !found;
    return !is_damaged && (now.has_ended(found->expires_at, found->created_at) || visit(*id, *found));
  });
  if (is_damaged) return failed_read(family::messages, "a record is damaged");
  if (!stored->status().ok()) return failed_read(family::messages, text_of(stored->status()));
  return {};
}

}  // namespace ordem::storage
