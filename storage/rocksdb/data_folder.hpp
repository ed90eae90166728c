// The data folder around the database: its lock and its format number.
//
//   FORMAT   two lines: the number of the data format, and the id of the engine, a UUID that names its log; written
//            once the new database is there, before it takes any data. In a folder that is loaded from elsewhere it
//            holds one line, "loading", until all is there
//   LOCK     held (flock) by the process that writes the folder
//   db/      the database
//   incoming/  table files on their way into the database; what a start finds there is left from a crash
#pragma once

#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "storage/log/store.hpp"

namespace ordem::storage {

// Owns the lock of a folder until destroyed.
class data_folder {
 public:
  // Makes the folder if needed, takes its lock, checks its format, and that there is a database if there was one.
  static result<data_folder> open(const std::filesystem::path& path);
  // As open, for a folder that must be new, and will have this engine id. Until write_format() nobody else can open it.
  static result<data_folder> make(const std::filesystem::path& path, std::string log_id);

  // Whether the folder has no FORMAT yet. If it has a database all the same, that must be empty: a first start that was
  // cut off.
  bool is_new() const noexcept { return is_new_; }
  const std::string& log_id() const noexcept { return log_id_; }
  // Writes FORMAT, durably.
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

// Checks that there is a folder of a format that this program reads, and gives its engine id. Takes no lock.
result<std::string> check_data_folder(const std::filesystem::path& path);

// A folder that stays the same one under its path. Holds it open, so that its identity is not given to another.
class held_folder {
 public:
  static result<held_folder> open(const std::filesystem::path& path);

  // Whether the path still leads to it: it was neither removed nor replaced. Two system calls (fstat, stat), neither
  // of which waits for the disk as a rule. Any thread.
  bool is_in_place() const noexcept;

  // A path that leads to this folder as long as it is held, wherever it is moved and whatever comes in its place
  // (proc(5), /proc/PID/fd). Its own path where there is no /proc.
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

// Makes the folder if it is not there, with its parents, so that it survives a power loss.
result<void> make_folder(const std::filesystem::path& path);

std::filesystem::path database_path(const std::filesystem::path& folder);
std::filesystem::path incoming_path(const std::filesystem::path& folder);

}  // namespace ordem::storage
