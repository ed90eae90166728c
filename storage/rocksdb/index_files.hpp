// Writes a full memtable to table files. Only for storage/rocksdb/*.cpp.
#pragma once

#include <rocksdb/db.h>

#include <vector>

#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/recent_index.hpp"

namespace ordem::storage {

// Writes the memtable's messages, its customers' orders, and the position of the indexes, one file for each family, to
// the folder of incoming files, and syncs them. Appends them to `files`, to be ingested in one step; until then readers
// find the records in memory. One thread at a time.
rocksdb::Status write_index_files(const database& db, const memtable& from,
                                  std::vector<rocksdb::IngestExternalFileArg>& files);

}  // namespace ordem::storage
