// Reads a small file as a whole. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <tl/expected.hpp>

namespace ordem::app {

struct text_file {
  std::string text;
  mode_t mode = 0;
};

// Reads a regular file. The error is a sentence with the path.
tl::expected<text_file, std::string> read_text_file(const std::string& path, std::size_t bytes_max);

}  // namespace ordem::app
