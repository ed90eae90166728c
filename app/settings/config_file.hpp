// The text of the file that --config names.
#pragma once

#include <cstddef>
#include <string>
#include <tl/expected.hpp>

namespace ordem::app {

inline constexpr std::size_t config_file_bytes_max = std::size_t{1} << 20;

// Reads the file to its end: a regular file or a pipe, once. Returns its text without the byte order mark that some
// editors put in front, or a sentence if it can't be read, is not text, or is larger than config_file_bytes_max.
tl::expected<std::string, std::string> read_config_file(const std::string& path);

}  // namespace ordem::app
