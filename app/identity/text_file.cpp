#include "app/identity/text_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "storage/files/files.hpp"

namespace ordem::app {
tl::expected<text_file, std::string> read_text_file(const std::string& path, std::size_t bytes_max) {
  const auto error = [&path](const std::string& why) { return tl::make_unexpected(fmt::format("'{}' {}", path, why)); };
  // Not blocked by a pipe that has no writer.
  const auto file = storage::open_file::open(path, O_RDONLY | O_NONBLOCK);
  if (!file) return tl::make_unexpected(file.error().message);
  struct stat status{};
  if (::fstat(file->descriptor(), &status) != 0) return error("cannot be read: " + storage::error_text(errno));
  if (!S_ISREG(status.st_mode)) return error("is not a regular file");
  text_file read{{}, status.st_mode};
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

}  // namespace ordem::app
