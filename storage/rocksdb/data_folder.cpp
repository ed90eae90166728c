#include "storage/rocksdb/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "storage/records/data_format.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;

// Replaces the number in FORMAT during a load.
constexpr std::string_view loading_mark = "loading";

std::string quoted(const fs::path& path) {
  return "'" + path.string() + "'";
}

std::string error_text(int error) {
  return std::generic_category().message(error);
}

bool is_uuid(const std::string& text) {
  return order_id::parse(text).has_value();  // the same 36 characters
}

std::string fresh_log_id() {
  return boost::uuids::to_string(boost::uuids::random_generator()());
}

// Returns the log id.
result<std::string> read_format(const fs::path& path) {
  std::ifstream file(path / "FORMAT");
  std::string line;
  std::string log_id;
  std::getline(file, line);
  std::getline(file, log_id);
  if (line == loading_mark) {
    return fail_with(
        error_code::incomplete,
        "the data folder " + quoted(path) + " is incomplete: its load did not finish; remove it and load it again");
  }
  const bool is_number = !line.empty() && line.size() < 10 && line.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number) {
    return fail_with(error_code::damaged,
                     "the data folder " + quoted(path) +
                         " has no readable FORMAT file; restore the folder from a back-up as a whole");
  }
  if (std::stoi(line) != data_format) {
    return fail_with(error_code::wrong_format, "the data folder " + quoted(path) + " has data format " + line +
                                                   ", but this program reads format " + std::to_string(data_format) +
                                                   "; start the version of ordem that wrote it");
  }
  // If this file were missing, RocksDB would create an empty database.
  std::error_code ignored;
  if (!fs::exists(database_path(path) / "CURRENT", ignored)) {
    return fail_with(
        error_code::damaged,
        "the data folder " + quoted(path) +
            " has lost its database (db/CURRENT is missing); restore the folder from a back-up as a whole");
  }
  if (!is_uuid(log_id)) {
    return fail_with(error_code::damaged, "the file FORMAT of the data folder " + quoted(path) +
                                              " has no log id; restore the folder from a back-up as a whole");
  }
  return log_id;
}

// Returns whether the path leads to the open file.
bool is_same_file(int open, const fs::path& path) noexcept {
  struct stat held{};
  struct stat found{};
  return ::fstat(open, &held) == 0 && ::stat(path.c_str(), &found) == 0 && held.st_dev == found.st_dev &&
         held.st_ino == found.st_ino;
}

// Makes the names in the folder durable. Returns 0 or the errno of the failure.
int sync_folder(const fs::path& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return errno;
  // Some file systems do not support fsync of a folder.
  const int error = ::fsync(folder) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno;
  ::close(folder);
  return error;
}

// Also of a path that ends in a slash.
fs::path parent_of(const fs::path& path) {
  const fs::path parent = (path.has_filename() ? path : path.parent_path()).parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

// Writes the text and syncs the file. Returns 0 or the errno of the failure.
int write_durably(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno != EINTR) return errno;
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  return ::fsync(file) == 0 ? 0 : errno;
}

result<int> take_lock(const fs::path& path) {
  const fs::path name = path / "LOCK";
  const int lock = ::open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (lock < 0) {
    const int error = errno;  // before anything else may change it
    return fail_with(error_code::io_error, "cannot open " + quoted(name) + ": " + error_text(error));
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(lock);
    if (error == EWOULDBLOCK) {
      return fail_with(error_code::locked,
                       "the data folder " + quoted(path) +
                           " is locked: another ordem is running on it; stop that one or name another --data-dir");
    }
    return fail_with(error_code::io_error, "cannot lock " + quoted(name) + ": " + error_text(error));
  }
  if (!is_same_file(lock, name)) {
    ::close(lock);
    return fail_with(error_code::io_error,
                     "the data folder " + quoted(path) + " was removed or replaced while it was being opened");
  }
  return lock;
}

// `target`: the folder of the first call, for the message.
result<void> make_folder(const fs::path& path, const fs::path& target) {
  const auto failed = [&](const std::string& why) {
    return fail_with(error_code::io_error, "cannot make the data folder " + quoted(target) + ": " +
                                               (path == target ? "" : quoted(path) + ": ") + why);
  };
  std::error_code error;
  if (fs::is_directory(path, error)) return {};
  if (!path.has_filename() && path.has_parent_path())
    return make_folder(path.parent_path(), target);  // ends in a slash
  const fs::path parent = parent_of(path);
  if (auto made = make_folder(parent, target); !made) return made;
  fs::create_directory(path, error);
  if (error) return failed(error.message());
  if (const int unsynced = sync_folder(parent)) return failed("cannot sync its parent: " + error_text(unsynced));
  return {};
}

}  // namespace

fs::path database_path(const fs::path& folder) {
  return folder / "db";
}

fs::path incoming_path(const fs::path& folder) {
  return folder / "incoming";
}

result<std::string> check_data_folder(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(database_path(path), ignored)) {
    return fail_with(error_code::not_found, "the folder " + quoted(path) + " has no ordem data");
  }
  return read_format(path);
}

result<void> make_folder(const fs::path& path) {
  return make_folder(path, path);
}

result<data_folder> data_folder::open(const fs::path& path) {
  if (auto made = make_folder(path); !made) return tl::make_unexpected(made.error());

  const auto lock = take_lock(path);
  if (!lock) return tl::make_unexpected(lock.error());
  data_folder folder(path, *lock);
  std::error_code error;
  folder.is_new_ = !fs::exists(path / "FORMAT", error);
  if (error) return fail_with(error_code::io_error, "cannot stat " + quoted(path / "FORMAT") + ": " + error.message());
  // An earlier start that was cut off may have made the folder without syncing its name.
  if (folder.is_new_) {
    const fs::path parent = parent_of(path);
    const int unsynced = sync_folder(parent);
    // This process did not make the folder in a parent that it may not read, or that is read-only.
    if (unsynced != 0 && unsynced != EACCES && unsynced != EPERM && unsynced != EROFS) {
      return fail_with(error_code::io_error, "cannot sync " + quoted(parent) + ", which holds the data folder " +
                                                 quoted(path) + ": " + error_text(unsynced));
    }
  }
  auto log_id = folder.is_new() ? result<std::string>(fresh_log_id()) : read_format(path);
  if (!log_id) return tl::make_unexpected(log_id.error());
  folder.log_id_ = std::move(*log_id);
  return folder;
}

result<data_folder> data_folder::make(const fs::path& path, std::string log_id) {
  std::error_code ignored;
  if (fs::exists(path, ignored) && !fs::is_empty(path, ignored)) {
    return fail_with(error_code::invalid_argument,
                     "the data folder " + quoted(path) + " is not empty; name one that does not exist yet");
  }
  auto folder = open(path);
  if (!folder) return folder;
  folder->log_id_ = std::move(log_id);
  if (auto marked = folder->write_format_file(std::string(loading_mark) + "\n"); !marked) {
    return tl::make_unexpected(marked.error());
  }
  return folder;
}

result<void> data_folder::write_format() const {
  return write_format_file(std::to_string(data_format) + "\n" + log_id_ + "\n");
}

result<void> data_folder::write_format_file(const std::string& text) const {
  const fs::path& path = path_;
  const fs::path name = path / "FORMAT";
  const fs::path temporary = path / "FORMAT.tmp";
  const int file = ::open(temporary.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  int error = file < 0 ? errno : write_durably(file, text);
  if (file >= 0) ::close(file);
  if (error == 0 && ::rename(temporary.c_str(), name.c_str()) != 0) error = errno;
  if (error == 0) error = sync_folder(path);
  if (error != 0) return fail_with(error_code::io_error, "cannot write " + quoted(name) + ": " + error_text(error));
  return {};
}

result<held_folder> held_folder::open(const fs::path& path) {
  const int file = ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) {
    const int error = errno;
    return fail_with(error_code::io_error, "cannot open " + quoted(path) + ": " + error_text(error));
  }
  return held_folder(path, file);
}

bool held_folder::is_in_place() const noexcept {
  return is_same_file(file_, path_);
}

fs::path held_folder::lasting_path() const {
  const fs::path by_descriptor = "/proc/self/fd/" + std::to_string(file_);
  return is_same_file(file_, by_descriptor) ? by_descriptor : path_;
}

held_folder::held_folder(held_folder&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}

held_folder::~held_folder() {
  if (file_ >= 0) ::close(file_);
}

data_folder::data_folder(data_folder&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      is_new_(other.is_new_),
      log_id_(std::move(other.log_id_)) {}

data_folder::~data_folder() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace ordem::storage
