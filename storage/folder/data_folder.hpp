// The data folder around the log and the view: its lock and its format number. Owned by the store or a loader; used by
// the thread that opens it.
//
//   FORMAT     two lines: the number of the data format, and the log id, a UUID. A third one, "copy", in the folder of
//              a node of a cluster. Written after the new log is made and before it has data. While the folder is being
//              loaded it has one line, "loading"
//   LOCK       held (flock) by the process that writes the folder
//   log/       the log (storage/segments/)
//   db/        the view (storage/rocksdb/)
//   incoming/  table files before their ingestion into the view; a start deletes those that a crash left
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "storage/files/files.hpp"
#include "storage/log/error.hpp"

namespace ordem::storage {

// The content of FORMAT.
struct folder_format {
  int number = 0;
  std::string log_id;
  bool is_copy = false;  // the log is the copy of a replicated one
};

// Holds the lock of a folder until it is destroyed.
class data_folder {
 public:
  // Creates the folder durably if needed, takes its lock, and checks its format, which may be an earlier one that an
  // upgrade reads, and that it has not lost its database.
  static result<data_folder> open(const std::filesystem::path& path);
  // As open(), for a folder that has data.
  static result<data_folder> open_existing(const std::filesystem::path& path);
  // As open(), for a folder that must be new or empty. It gets this log id. Until write_format() no one else can open
  // it.
  static result<data_folder> make(const std::filesystem::path& path, std::string log_id);

  // Whether the folder has no FORMAT yet. What is in such a folder must be empty: its first start was cut off.
  bool is_new() const noexcept { return is_new_; }
  // Whether it has an earlier format than the present one.
  bool is_old() const noexcept;
  int format() const noexcept { return format_.number; }
  const std::string& log_id() const noexcept { return format_.log_id; }
  bool is_copy() const noexcept { return format_.is_copy; }
  // Makes the folder one of a copy of that log, once write_format() is called. REQUIRES: is_new().
  void become_copy(std::string log_id);
  // Writes FORMAT, with the present format, durably.
  result<void> write_format();

 private:
  data_folder(std::filesystem::path path, open_file lock) noexcept : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  open_file lock_;
  bool is_new_ = false;
  folder_format format_;
};

// Reads the format of an existing folder, which may be an earlier one that an upgrade reads. Takes no lock.
result<folder_format> read_folder_format(const std::filesystem::path& path);
// The error for a folder of an earlier format, where it can't be brought up to the present one.
error old_format_error(const std::filesystem::path& path, const folder_format& found);

// Returns the content of FORMAT for the present format.
std::string format_text(const std::string& log_id, bool is_copy);
inline constexpr const char* format_name = "FORMAT";

std::filesystem::path log_path(const std::filesystem::path& folder);

}  // namespace ordem::storage
