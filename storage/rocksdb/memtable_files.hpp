// Writes a full memtable to table files. Only for storage/rocksdb/*.cpp.
#pragma once

#include <rocksdb/db.h>

#include <vector>

#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/memtable_set.hpp"

namespace ordem::storage {

// Writes the memtable's records, and the position that the files reach, one file for each family, to the folder of
// incoming files, and syncs them. Appends them to `files`, to be ingested in one step; until then readers find the
// records in memory. `only_indexes`: see view_access::upgrade. One thread at a time.
rocksdb::Status write_memtable_files(const database& db, const memtable& from, bool only_indexes,
                                     std::vector<rocksdb::IngestExternalFileArg>& files);

}  // namespace ordem::storage
