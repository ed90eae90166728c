#include "storage/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "storage/records.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;

tl::unexpected<open_failure> failure(std::string sentence) {
  return tl::make_unexpected(open_failure{std::move(sentence)});
}

std::string quoted(const fs::path& path) {
  return "'" + path.string() + "'";
}

tl::expected<void, open_failure> check_format(const fs::path& path) {
  std::ifstream file(path / "FORMAT");
  std::string line;
  std::getline(file, line);
  const bool is_number = !line.empty() && line.size() < 10 && line.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number) {
    return failure("the data folder " + quoted(path) +
                   " has no readable FORMAT file; restore the folder from a back-up as a whole");
  }
  if (std::stoi(line) != data_format) {
    return failure("the data folder " + quoted(path) + " has data format " + line + ", but this program reads format " +
                   std::to_string(data_format) + "; start the version of ordem that wrote it");
  }
  // RocksDB would make a new, empty database where this file is missing.
  std::error_code ignored;
  if (!fs::exists(database_path(path) / "CURRENT", ignored)) {
    return failure("the data folder " + quoted(path) +
                   " has lost its database (db/CURRENT is missing); restore the folder from a back-up as a whole");
  }
  return {};
}

tl::expected<int, open_failure> take_lock(const fs::path& path) {
  const fs::path name = path / "LOCK";
  const int lock = ::open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (lock < 0) return failure("cannot open " + quoted(name) + ": " + std::strerror(errno));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(lock);
    if (error == EWOULDBLOCK) {
      return failure("the data folder " + quoted(path) +
                     " is locked: another ordem is running on it; stop that one or name another --data-dir");
    }
    return failure("cannot lock " + quoted(name) + ": " + std::strerror(error));
  }
  return lock;
}

}  // namespace

fs::path database_path(const fs::path& folder) {
  return folder / "db";
}

tl::expected<void, open_failure> check_data_folder(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(database_path(path), ignored)) {
    return failure("there is no data of ordem in the folder " + quoted(path));
  }
  return check_format(path);
}

tl::expected<data_folder, open_failure> data_folder::open(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return failure("cannot make the data folder " + quoted(path) + ": " + error.message());

  const auto lock = take_lock(path);
  if (!lock) return tl::make_unexpected(lock.error());
  data_folder folder{*lock, !fs::exists(path / "FORMAT", error)};
  if (folder.is_new()) return folder;
  if (const auto checked = check_format(path); !checked) return tl::make_unexpected(checked.error());
  return folder;
}

tl::expected<void, open_failure> data_folder::write_format(const fs::path& path) {
  const fs::path name = path / "FORMAT";
  const fs::path fresh = path / "FORMAT.tmp";
  const std::string line = std::to_string(data_format) + "\n";
  const int file = ::open(fresh.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  const bool written =
      file >= 0 && ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file) == 0;
  const int error = errno;
  if (file >= 0) ::close(file);
  std::error_code renamed;
  if (written) fs::rename(fresh, name, renamed);
  if (!written || renamed) {
    return failure("cannot write " + quoted(name) + ": " + (written ? renamed.message() : std::strerror(error)));
  }
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
  return {};
}

data_folder::data_folder(data_folder&& other) noexcept
    : lock_(std::exchange(other.lock_, -1)), is_new_(other.is_new_) {}

data_folder::~data_folder() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace ordem::storage
