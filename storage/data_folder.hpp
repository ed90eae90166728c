// The data folder around the database: its lock and its format number.
//
//   FORMAT   one line: the number of the data format; written once the new database is there, before it takes any data
//   LOCK     held (flock) by the process that writes the folder
//   db/      the database
#pragma once

#include <filesystem>
#include <tl/expected.hpp>

#include "storage/store.hpp"

namespace ordem::storage {

// Owns the lock of a folder until destroyed.
class data_folder {
 public:
  // Makes the folder if needed, takes its lock, checks its format, and that there is a database if there was one.
  static tl::expected<data_folder, open_failure> open(const std::filesystem::path& path);

  // Whether the folder has no FORMAT yet. If it has a database all the same, that must be empty: a first start that was
  // cut off.
  bool is_new() const noexcept { return is_new_; }
  // Writes FORMAT, durably.
  static tl::expected<void, open_failure> write_format(const std::filesystem::path& path);

  data_folder(data_folder&& other) noexcept;
  data_folder(const data_folder&) = delete;
  data_folder& operator=(const data_folder&) = delete;
  data_folder& operator=(data_folder&&) = delete;
  ~data_folder();

 private:
  data_folder(int lock, bool is_new) noexcept : lock_(lock), is_new_(is_new) {}
  int lock_;
  bool is_new_;
};

// Checks that there is a folder of a format that this program reads. Takes no lock.
tl::expected<void, open_failure> check_data_folder(const std::filesystem::path& path);

std::filesystem::path database_path(const std::filesystem::path& folder);

}  // namespace ordem::storage
