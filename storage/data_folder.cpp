#include "storage/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "storage/records.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;

// In the place of the number in FORMAT.
constexpr std::string_view being_loaded = "loading";

tl::unexpected<open_failure> failure(std::string sentence) {
  return tl::make_unexpected(open_failure{std::move(sentence)});
}

std::string quoted(const fs::path& path) {
  return "'" + path.string() + "'";
}

bool is_uuid(const std::string& text) {
  return order_id::parse(text).has_value();  // the same 36 characters
}

std::string fresh_engine_id() {
  return boost::uuids::to_string(boost::uuids::random_generator()());
}

// The engine id.
tl::expected<std::string, open_failure> read_format(const fs::path& path) {
  std::ifstream file(path / "FORMAT");
  std::string line;
  std::string engine_id;
  std::getline(file, line);
  std::getline(file, engine_id);
  if (line == being_loaded) {
    return failure("the data folder " + quoted(path) + " was not loaded to its end; remove it and load it anew");
  }
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
  if (!is_uuid(engine_id)) {
    return failure("the file FORMAT of the data folder " + quoted(path) +
                   " holds no engine id; restore the folder from a back-up as a whole");
  }
  return engine_id;
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

fs::path incoming_path(const fs::path& folder) {
  return folder / "incoming";
}

tl::expected<std::string, open_failure> check_data_folder(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(database_path(path), ignored)) {
    return failure("there is no data of ordem in the folder " + quoted(path));
  }
  return read_format(path);
}

tl::expected<data_folder, open_failure> data_folder::open(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return failure("cannot make the data folder " + quoted(path) + ": " + error.message());

  const auto lock = take_lock(path);
  if (!lock) return tl::make_unexpected(lock.error());
  data_folder folder(path, *lock);
  folder.is_new_ = !fs::exists(path / "FORMAT", error);
  auto engine_id = folder.is_new() ? tl::expected<std::string, open_failure>(fresh_engine_id()) : read_format(path);
  if (!engine_id) return tl::make_unexpected(engine_id.error());
  folder.engine_id_ = std::move(*engine_id);
  return folder;
}

tl::expected<data_folder, open_failure> data_folder::make(const fs::path& path, std::string engine_id) {
  std::error_code ignored;
  if (fs::exists(path, ignored) && !fs::is_empty(path, ignored)) {
    return failure("the data folder " + quoted(path) + " is not empty; name one that is not there yet");
  }
  auto folder = open(path);
  if (!folder) return folder;
  folder->engine_id_ = std::move(engine_id);
  if (auto marked = folder->write_format_file(std::string(being_loaded) + "\n"); !marked) {
    return tl::make_unexpected(marked.error());
  }
  return folder;
}

tl::expected<void, open_failure> data_folder::write_format() const {
  return write_format_file(std::to_string(data_format) + "\n" + engine_id_ + "\n");
}

tl::expected<void, open_failure> data_folder::write_format_file(const std::string& text) const {
  const fs::path& path = path_;
  const fs::path name = path / "FORMAT";
  const fs::path fresh = path / "FORMAT.tmp";
  const int file = ::open(fresh.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  const bool written =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
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
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      is_new_(other.is_new_),
      engine_id_(std::move(other.engine_id_)) {}

data_folder::~data_folder() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace ordem::storage
