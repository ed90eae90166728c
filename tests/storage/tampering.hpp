// Changes the database or the log of a folder without the store.
#pragma once

#include <rocksdb/db.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "storage/folder/local_store.hpp"
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

// The families with the options of a store that drops what has expired.
inline std::vector<rocksdb::ColumnFamilyDescriptor> families_of(const storage::store_settings& settings,
                                                                const storage::expired_record_filter& expired) {
  return storage::family_descriptors(storage::view_settings_of(settings, storage::view_access::write), expired);
}

// Returns the files of a log, the oldest first.
inline std::vector<std::filesystem::path> segments_in(const std::filesystem::path& log) {
  std::vector<std::filesystem::path> found;
  for (const auto& each : std::filesystem::directory_iterator(log)) {
    if (each.path().extension() == ".seg") found.push_back(each.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

inline std::string read_file(const std::filesystem::path& name) {
  std::ostringstream text;
  text << std::ifstream(name, std::ios::binary).rdbuf();
  return text.str();
}
inline void write_file(const std::filesystem::path& name, const std::string& text) {
  std::filesystem::create_directories(name.parent_path());
  std::ofstream(name, std::ios::binary) << text;
}

}  // namespace ordem::testing
