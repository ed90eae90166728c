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

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

tl::expected<void, open_failure> check_format(const fs::path& path) {
  std::ifstream file(path / "FORMAT");
  int number = 0;
  if (!(file >> number)) {
    return failure("the data folder " + quoted(path) +
                   " has a database but no readable FORMAT file; restore the folder from a back-up as a whole");
  }
  if (number != data_format) {
    return failure("the data folder " + quoted(path) + " has data format " + std::to_string(number) +
                   ", but this program reads format " + std::to_string(data_format) +
                   "; start the version of ordem that wrote it");
  }
  return {};
}

// Durable before the database is made: a folder never holds data of an unknown format.
tl::expected<void, open_failure> write_format(const fs::path& path) {
  const fs::path name = path / "FORMAT";
  const fs::path fresh = path / "FORMAT.tmp";
  const std::string line = std::to_string(data_format) + "\n";
  const int file = ::open(fresh.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  const bool written = file >= 0 && ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                       ::fsync(file) == 0;
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

fs::path database_path(const fs::path& folder) { return folder / "db"; }

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
  data_folder folder{*lock};

  const bool is_new = !fs::exists(path / "FORMAT", error) && !fs::exists(database_path(path), error);
  const auto formatted = is_new ? write_format(path) : check_format(path);
  if (!formatted) return tl::make_unexpected(formatted.error());
  return folder;
}

data_folder::data_folder(data_folder&& other) noexcept : lock_(std::exchange(other.lock_, -1)) {}

data_folder::~data_folder() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace ordem::storage
