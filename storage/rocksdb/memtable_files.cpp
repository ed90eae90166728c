#include "storage/rocksdb/memtable_files.hpp"

#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/records/keys.hpp"

namespace ordem::storage {
namespace {

// A file of records in ascending order of keys, for one family.
class table_file {
 public:
  table_file(const database& db, rocksdb::ColumnFamilyHandle* family, std::string path)
      : family_(family),
        path_(std::move(path)),
        writer_(rocksdb::EnvOptions(db->GetDBOptions()), uncompressed(db->GetOptions(family)), family) {
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
  // The file is soon merged with others, and compressed then.
  static rocksdb::Options uncompressed(rocksdb::Options options) {
    options.compression_per_level.clear();
    options.compression = rocksdb::kNoCompression;
    return options;
  }

  rocksdb::ColumnFamilyHandle* family_;
  std::string path_;
  rocksdb::SstFileWriter writer_;
  rocksdb::Status status_;
};

}  // namespace

rocksdb::Status write_memtable_files(const database& db, const memtable& from, bool only_indexes,
                                     std::vector<rocksdb::IngestExternalFileArg>& files) {
  rocksdb::Status status;
  const auto write = [&](rocksdb::ColumnFamilyHandle* to, const char* name, const auto& fill) {
    if (!status.ok()) return;
    table_file file(db, to, db.incoming_folder() / name);
    fill(file);
    status = file.finish();
    files.push_back(file.to_ingest());
  };
  const auto write_records = [&](family to, const auto& records) {
    const auto sorted = records.sorted(from.last);
    if (sorted.empty()) return;
    write(db.handle(to), family_names[static_cast<std::size_t>(to)], [&](table_file& file) { file.put(sorted); });
  };
  write_records(family::messages, from.messages);
  // The keys of both are in the family customers.
  const auto customers = from.customers.sorted(from.last);
  const auto external_ids = from.external_ids.sorted(from.last);
  std::vector<const listed_key*> lists;
  lists.reserve(customers.size() + external_ids.size());
  std::merge(customers.begin(), customers.end(), external_ids.begin(), external_ids.end(), std::back_inserter(lists),
             [](const listed_key* a, const listed_key* b) { return a->key() < b->key(); });
  if (!lists.empty()) {
    write(db.handle(family::customers), family_names[static_cast<std::size_t>(family::customers)],
          [&](table_file& file) { file.put(lists); });
  }
  if (!only_indexes) {
    write_records(family::orders, from.orders);
    write_records(family::versions, from.versions);
    write_records(family::captures, from.captures);
  }
  write(db.default_handle(), "written",
        [&](table_file& file) { file.put(written_key, encoded(encode_log_key, from.last)); });
  return status;
}

}  // namespace ordem::storage
