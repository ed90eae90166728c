#include "app/identity/text_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "storage/files/files.hpp"

namespace ordem::app {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

file_stamp stamp_in(const struct stat& status) noexcept {
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec * ns_per_second + status.st_mtim.tv_nsec};
}

}  // namespace

tl::expected<text_file, std::string> read_text_file(const std::string& path, std::size_t bytes_max) {
  const auto error = [&path](const std::string& why) { return tl::make_unexpected(fmt::format("'{}' {}", path, why)); };
  // Not blocked by a pipe that has no writer.
  const auto file = storage::open_file::open(path, O_RDONLY | O_NONBLOCK);
  if (!file) return tl::make_unexpected(file.error().message);
  struct stat status{};
  if (::fstat(file->descriptor(), &status) != 0) return error("cannot be read: " + storage::error_text(errno));
  if (!S_ISREG(status.st_mode)) return error("is not a regular file");
  text_file read{{}, stamp_in(status), status.st_mode};
  if (status.st_size < 0 || static_cast<std::uint64_t>(status.st_size) > bytes_max) {
    return error(fmt::format("is larger than {} KiB", bytes_max >> 10));
  }
  // One byte more, for a file that has grown.
  if (const int failed = file->read(read.text, bytes_max + 1, 0)) {
    return error("cannot be read: " + storage::error_text(failed));
  }
  if (read.text.size() > bytes_max) return error(fmt::format("is larger than {} KiB", bytes_max >> 10));
  return read;
}

std::optional<file_stamp> stamp_of(const std::string& path) noexcept {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return stamp_in(status);
}

}  // namespace ordem::app
