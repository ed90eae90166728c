#include "storage/files/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;

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

std::string quoted(const fs::path& path) {
  return "'" + path.string() + "'";
}

std::string error_text(int error) {
  return std::generic_category().message(error);
}

// --- folders ---

result<void> make_folder(const fs::path& path) {
  return make_folder(path, path);
}

int sync_folder(const fs::path& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return errno;
  // Some file systems do not support fsync of a folder.
  const int error = ::fsync(folder) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno;
  ::close(folder);
  return error;
}

std::optional<std::pair<fs::path, int>> sync_parents(const fs::path& path) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  for (fs::path at = error ? path : whole; at != at.root_path() && !at.empty();) {
    at = parent_of(at);
    const int unsynced = sync_folder(at);
    if (unsynced != 0 && unsynced != EACCES && unsynced != EPERM && unsynced != EROFS) return std::pair(at, unsynced);
  }
  return std::nullopt;
}

fs::path parent_of(const fs::path& path) {
  const fs::path parent = (path.has_filename() ? path : path.parent_path()).parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

// --- files ---

result<void> replace_file(const fs::path& path, std::string_view text) {
  fs::path temporary = path;
  temporary += ".tmp";
  int error = 0;
  {
    const auto file = open_file::open(temporary, O_CREAT | O_TRUNC | O_WRONLY);
    if (!file) return tl::make_unexpected(file.error());
    error = file->write(text, 0);
    if (error == 0) error = file->sync();
  }
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) error = sync_folder(parent_of(path));
  if (error != 0) return fail_with(error_code::io_error, "cannot write " + quoted(path) + ": " + error_text(error));
  return {};
}

result<open_file> open_file::open(const fs::path& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (file < 0) {
    const int error = errno;  // before anything else may change it
    return fail_with(error_code::io_error, "cannot open " + quoted(path) + ": " + error_text(error));
  }
  return open_file(file);
}

open_file::~open_file() {
  if (file_ >= 0) ::close(file_);
}

int open_file::write(std::string_view bytes, std::uint64_t offset) const noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return 0;
}

int open_file::read(std::string& to, std::size_t bytes, std::uint64_t offset) const {
  to.resize(bytes);
  std::size_t filled = 0;
  while (filled < bytes) {
    const ssize_t got = ::pread(file_, to.data() + filled, bytes - filled, static_cast<off_t>(offset + filled));
    if (got < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  to.resize(filled);
  return 0;
}

int open_file::sync() const noexcept {
  return ::fdatasync(file_) == 0 ? 0 : errno;
}

std::uint64_t open_file::size() const noexcept {
  struct stat found{};
  return ::fstat(file_, &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
}

// --- held folders ---

bool is_same_file(int open, const fs::path& path) noexcept {
  struct stat held{};
  struct stat found{};
  return ::fstat(open, &held) == 0 && ::stat(path.c_str(), &found) == 0 && held.st_dev == found.st_dev &&
         held.st_ino == found.st_ino;
}

result<held_folder> held_folder::open(const fs::path& path) {
  auto file = open_file::open(path, O_PATH | O_DIRECTORY);
  if (!file) return tl::make_unexpected(std::move(file.error()));
  return held_folder(path, std::move(*file));
}

bool held_folder::is_in_place() const noexcept {
  return is_same_file(file_.descriptor(), path_);
}

fs::path held_folder::lasting_path() const {
  const fs::path by_descriptor = "/proc/self/fd/" + std::to_string(file_.descriptor());
  return is_same_file(file_.descriptor(), by_descriptor) ? by_descriptor : path_;
}

}  // namespace ordem::storage
