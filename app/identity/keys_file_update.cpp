#include "app/identity/keys_file_update.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>

#include "app/identity/text_file.hpp"
#include "auth/keys/keys_file.hpp"
#include "storage/files/files.hpp"

namespace ordem::app {
namespace {

namespace fs = std::filesystem;
using storage::error_text;

// Waits for the lock, and keeps it until it is destroyed.
tl::expected<storage::open_file, std::string> lock_folder(const fs::path& folder) {
  auto opened = storage::open_file::open(folder, O_RDONLY | O_DIRECTORY);
  if (!opened) return tl::make_unexpected(opened.error().message);
  while (::flock(opened->descriptor(), LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    return tl::make_unexpected(fmt::format("cannot lock '{}': {}", folder.string(), error_text(errno)));
  }
  return std::move(*opened);
}

// A file that is removed unless it was renamed.
class temporary_file {
 public:
  explicit temporary_file(const fs::path& beside) : name_(beside.string() + ".XXXXXX") {
    file_ = ::mkostemp(name_.data(), O_CLOEXEC);
    error_ = file_ < 0 ? errno : 0;
  }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  ~temporary_file() {
    if (file_ < 0) return;
    ::close(file_);
    if (!renamed_) ::unlink(name_.c_str());
  }

  // Returns 0 or the errno of the failure. `like`: the file whose owner and mode it gets; else it has 0600.
  int fill(std::string_view text, const struct stat* like) const {
    if (error_ != 0) return error_;
    while (!text.empty()) {
      const ssize_t written = ::write(file_, text.data(), text.size());
      if (written < 0 && errno != EINTR) return errno;
      if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (like != nullptr && !has_owner_of(*like) && ::fchown(file_, like->st_uid, like->st_gid) != 0) return errno;
    constexpr mode_t permissions = 07777;
    if (like != nullptr && ::fchmod(file_, like->st_mode & permissions) != 0) return errno;
    return ::fsync(file_) == 0 ? 0 : errno;
  }

  int rename_to(const fs::path& path) {
    if (::rename(name_.c_str(), path.c_str()) != 0) return errno;
    renamed_ = true;
    return storage::sync_folder(storage::parent_of(path));
  }

 private:
  bool has_owner_of(const struct stat& other) const {
    struct stat own{};
    return ::fstat(file_, &own) == 0 && own.st_uid == other.st_uid && own.st_gid == other.st_gid;
  }

  std::string name_;
  int file_ = -1;
  int error_ = 0;
  bool renamed_ = false;
};

// The file that a symbolic link leads to, if it exists.
fs::path target_of(const fs::path& path) {
  std::error_code failed;
  const fs::path target = fs::canonical(path, failed);
  return failed ? path : target;
}

}  // namespace

tl::expected<void, std::string> update_keys_file(
    const std::string& path, missing_file missing,
    const std::function<tl::expected<std::string, std::string>(const std::string& text)>& change) {
  const fs::path target = target_of(path);
  const auto lock = lock_folder(storage::parent_of(target));
  if (!lock) return tl::make_unexpected(lock.error());

  struct stat status{};
  const bool exists = ::stat(target.c_str(), &status) == 0;
  std::string text;
  if (exists || missing == missing_file::is_an_error) {
    auto read = read_text_file(target, auth::keys_file_bytes_max);
    if (!read) return tl::make_unexpected(std::move(read.error()));
    text = std::move(read->text);
  }
  const auto changed = change(text);
  if (!changed) return tl::make_unexpected(changed.error());

  temporary_file replacement(target);
  int error = replacement.fill(*changed, exists ? &status : nullptr);
  if (error == 0) error = replacement.rename_to(target);
  if (error != 0) return tl::make_unexpected(fmt::format("cannot write '{}': {}", path, error_text(error)));
  return {};
}

}  // namespace ordem::app
