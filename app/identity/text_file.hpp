// Reads a file that may be replaced or changed while the program runs. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace ordem::app {

// Differs after any change of the file, and after its replacement. A file system with a coarse clock may hide a second
// change of the same size within a tick.
struct file_stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const file_stamp&, const file_stamp&) = default;
};

struct text_file {
  std::string text;
  file_stamp stamp;  // from before the text was read
  mode_t mode = 0;
};

// Reads a regular file. The error is a sentence with the path.
tl::expected<text_file, std::string> read_text_file(const std::string& path, std::size_t bytes_max);

// Returns nullopt if there is no such file, or it cannot be looked at.
std::optional<file_stamp> stamp_of(const std::string& path) noexcept;

}  // namespace ordem::app
