// The data folder around the database: its lock and its format number. Owned by the store or the loader; used by the
// thread that opens it, except held_folder.
//
//   FORMAT     two lines: the number of the data format, and the log id, a UUID. Written after the new database is made
//              and before it has data. While the folder is being loaded it has one line, "loading"
//   LOCK       held (flock) by the process that writes the folder
//   db/        the database
//   incoming/  table files before their ingestion into the database; a start deletes those that a crash left
#pragma once

#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "storage/log/store.hpp"

namespace ordem::storage {

// Holds the lock of a folder until it is destroyed.
class data_folder {
 public:
  // Creates the folder durably if needed, takes its lock, and checks its format and that it has not lost its database.
  static result<data_folder> open(const std::filesystem::path& path);
  // As open(), for a folder that must be new or empty. It gets this log id. Until write_format() no one else can open
  // it.
  static result<data_folder> make(const std::filesystem::path& path, std::string log_id);

  // Whether the folder has no FORMAT yet. A database in such a folder must be empty: its first start was cut off.
  bool is_new() const noexcept { return is_new_; }
  const std::string& log_id() const noexcept { return log_id_; }
  // Writes FORMAT durably.
  result<void> write_format() const;

  data_folder(data_folder&& other) noexcept;
  data_folder(const data_folder&) = delete;
  data_folder& operator=(const data_folder&) = delete;
  data_folder& operator=(data_folder&&) = delete;
  ~data_folder();

 private:
  data_folder(std::filesystem::path path, int lock) noexcept : path_(std::move(path)), lock_(lock) {}
  result<void> write_format_file(const std::string& text) const;

  std::filesystem::path path_;
  int lock_;
  bool is_new_ = false;
  std::string log_id_;
};

// Checks that the folder exists and has a format that this program reads. Returns its log id. Takes no lock.
result<std::string> check_data_folder(const std::filesystem::path& path);

// Detects that a folder was replaced under its path. Holds it open, so that its inode number is not reused.
// Thread-safe.
class held_folder {
 public:
  static result<held_folder> open(const std::filesystem::path& path);

  // Returns whether the path still leads to the folder, which was neither removed nor replaced. Two system calls
  // (fstat, stat), which usually do not wait for the disk.
  bool is_in_place() const noexcept;

  // Returns a path that leads to this folder while it is held, even if the folder is moved or replaced (proc(5),
  // /proc/PID/fd). Returns its own path if there is no /proc.
  std::filesystem::path lasting_path() const;

  held_folder(held_folder&& other) noexcept;
  held_folder(const held_folder&) = delete;
  held_folder& operator=(const held_folder&) = delete;
  held_folder& operator=(held_folder&&) = delete;
  ~held_folder();

 private:
  held_folder(std::filesystem::path path, int file) noexcept : path_(std::move(path)), file_(file) {}

  std::filesystem::path path_;
  int file_;
};

// Creates the folder durably if it does not exist, with its parents.
result<void> make_folder(const std::filesystem::path& path);

std::filesystem::path database_path(const std::filesystem::path& folder);
std::filesystem::path incoming_path(const std::filesystem::path& folder);

}  // namespace ordem::storage
