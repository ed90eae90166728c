// Changes the database of a folder without the store.
#pragma once

#include <rocksdb/db.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <vector>

#include "storage/rocksdb/column_families.hpp"

namespace ordem::testing {

// Calls change(db, handle), where handle(family) gives a family's handle.
template <class Change>
void tamper(const std::filesystem::path& folder, const std::vector<rocksdb::ColumnFamilyDescriptor>& families,
            Change change) {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  REQUIRE(rocksdb::DB::Open({}, (folder / "db").string(), families, &handles, &db).ok());
  change(*db, [&](storage::family which) { return handles[static_cast<std::size_t>(which)]; });
  for (auto* each : handles) db->DestroyColumnFamilyHandle(each);
  delete db;
}

template <class Change>
void tamper(const std::filesystem::path& folder, Change change) {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const char* name : storage::family_names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
  tamper(folder, families, change);
}

}  // namespace ordem::testing
