// Files and folders, made and written durably. Errors have the text for the person who runs the program.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/log/error.hpp"

namespace ordem::storage {

// The path in quotes, for messages.
std::string quoted(const std::filesystem::path& path);
// The text of an errno.
std::string error_text(int error);

// Creates the folder durably if it does not exist, with its parents.
result<void> make_folder(const std::filesystem::path& path);
// Makes the name of the folder durable, and those of the folders that it is in: whoever made them may have been stopped
// before that. Skips folders that this process may not read, or that are read-only, since it did not make anything in
// them. Returns the first one whose names can't be made durable, with the errno, or nullopt.
std::optional<std::pair<std::filesystem::path, int>> sync_parents(const std::filesystem::path& path);
// Makes the names in the folder durable. Returns 0 or the errno of the failure.
int sync_folder(const std::filesystem::path& path);
// The folder that the path is in, also for a path that ends in a slash.
std::filesystem::path parent_of(const std::filesystem::path& path);
// Replaces the file, durably and as a whole: after a crash it has the old text or the new one.
result<void> replace_file(const std::filesystem::path& path, std::string_view text);

// An open file. Closed when destroyed. Functions return 0 or the errno of the failure; they may be called by any
// thread.
class open_file {
 public:
  // As open(2), close on exec.
  static result<open_file> open(const std::filesystem::path& path, int flags);

  int descriptor() const noexcept { return file_; }
  // Writes all of it.
  int write(std::string_view bytes, std::uint64_t offset) const noexcept;
  // Reads up to so many bytes; fewer at the end of the file.
  int read(std::string& to, std::size_t bytes, std::uint64_t offset) const;
  // Makes the content durable, not the times of the file (fdatasync).
  int sync() const noexcept;
  // Returns 0 if that fails.
  std::uint64_t size() const noexcept;

  open_file(open_file&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  open_file& operator=(open_file&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~open_file();

 private:
  explicit open_file(int file) noexcept : file_(file) {}

  int file_;
};

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

 private:
  held_folder(std::filesystem::path path, open_file file) noexcept : path_(std::move(path)), file_(std::move(file)) {}

  std::filesystem::path path_;
  open_file file_;
};

// Returns whether the path leads to the open file.
bool is_same_file(int open, const std::filesystem::path& path) noexcept;

}  // namespace ordem::storage
